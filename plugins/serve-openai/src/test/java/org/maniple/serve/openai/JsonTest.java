package org.maniple.serve.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Bytes that are no text. */
class JsonTest {

    private static final byte[] BEGIN = "{\"a\":\"".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] END = "\"}".getBytes(StandardCharsets.US_ASCII);

    private final Json json = new Json();

    private static byte[] body(byte... text) {
        var body = new byte[BEGIN.length + text.length + END.length];
        System.arraycopy(BEGIN, 0, body, 0, BEGIN.length);
        System.arraycopy(text, 0, body, BEGIN.length, text.length);
        System.arraycopy(END, 0, body, BEGIN.length + text.length, END.length);
        return body;
    }

    @Test
    void everyPairOfBytesIsATextOrRefusedAndNothingIsReplaced() {
        for (int first = 0; first < 256; first++) {
            for (int second = 0; second < 256; second++) {
                // UTF-8 by its definition: two of ASCII, or a leading byte of a pair and a continuation.
                boolean ascii = first < 0x80 && second < 0x80;
                boolean pair = first >= 0xC2 && first <= 0xDF && second >= 0x80 && second <= 0xBF;
                boolean plain = pair || ascii && plain(first) && plain(second);
                boolean escape = first == '\\' && "\"\\/bfnrt".indexOf(second) >= 0;
                byte[] body = body((byte) first, (byte) second);
                if (plain) {
                    String expected = ascii
                            ? "" + (char) first + (char) second
                            : "" + (char) ((first & 0x1F) << 6 | second & 0x3F);
                    assertThat(json.readObject(body)).containsEntry("a", expected);
                } else if (escape) {
                    assertThat(json.readObject(body)).containsKey("a");
                } else {
                    assertThatThrownBy(() -> json.readObject(body)).as("%02x %02x", first, second)
                            .isInstanceOfSatisfying(ApiException.class, e -> assertThat(e.status()).isEqualTo(400));
                }
            }
        }
    }

    private static boolean plain(int character) {
        return character >= 0x20 && character != '"' && character != '\\';
    }

    /** After Markus Kuhn's stress test: lonely and missing continuations, forms that are too long, surrogates, what is beyond Unicode. */
    @ParameterizedTest
    @ValueSource(strings = {"80", "bf", "c0", "e2 82", "f0 9f 98", "f8 88 80 80 80", "fe", "ff", "c0 af", "e0 80 af",
        "f0 80 80 af",
        "c1 bf", "e0 9f bf", "f0 8f bf bf", "ed a0 80", "ed bf bf", "ed a0 80 ed b0 80", "f4 90 80 80", "e2 28 a1",
        "f0 28 8c bc"})
    void namesTheByteThatBeginsNoCharacter(String bytes) {
        byte[] body = body(HexFormat.ofDelimiter(" ").parseHex(bytes));

        assertThatThrownBy(() -> json.readObject(body))
                .hasMessageMatching("The body is not UTF-8: byte \\d+ does not begin a character\\.");
    }

    @ParameterizedTest
    @ValueSource(strings = {"c2 80", "df bf", "e0 a0 80", "ef bf bd", "ef bf bf", "f0 90 80 80", "f4 8f bf bf"})
    void readsTheFirstAndTheLastOfEachLength(String bytes) {
        byte[] text = HexFormat.ofDelimiter(" ").parseHex(bytes);

        assertThat(json.readObject(body(text))).containsEntry("a", new String(text, StandardCharsets.UTF_8));
    }
}
