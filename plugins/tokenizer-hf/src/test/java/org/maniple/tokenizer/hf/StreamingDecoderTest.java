package org.maniple.tokenizer.hf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Text appears as soon as it is certain and not before. */
class StreamingDecoderTest {
    private static final HfTextCodec BYTES = new TokenizerFiles()
            .tokens(IntStream.range(0, 256).mapToObj(b -> String.valueOf(ByteAlphabet.charOf(b))).toArray(String[]::new))
            .section("decoder", "{\"type\": \"ByteLevel\"}").codec();
    private static final HfTextCodec FALLBACK = new TokenizerFiles()
            .tokens(IntStream.range(0, 256).mapToObj(BpeModel::byteToken).toArray(String[]::new)).tokens("▁a", "▁")
            .section("decoder", """
                    {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
                     {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}""")
            .codec();

    private static int[] bytes(String text) {
        var utf8 = text.getBytes(StandardCharsets.UTF_8);
        return IntStream.range(0, utf8.length).map(i -> utf8[i] & 0xFF).toArray();
    }

    private static String stream(HfTextCodec codec, int... ids) {
        var decoder = codec.decoder(new int[0], false);
        var all = new StringBuilder();
        for (int id : ids) {
            all.append(decoder.push(id));
        }
        return all.append(decoder.finish()).toString();
    }

    @Test
    void aCharacterComesWithItsLastByte() {
        for (var codec : new HfTextCodec[] {BYTES, FALLBACK}) {
            var decoder = codec.decoder(new int[0], false);
            var emoji = bytes("😀");
            assertThat(decoder.push(emoji[0])).isEmpty();
            assertThat(decoder.push(emoji[1])).isEmpty();
            assertThat(decoder.push(emoji[2])).isEmpty();
            assertThat(decoder.push(emoji[3])).isEqualTo("😀");
            assertThat(decoder.finish()).isEmpty();
        }
    }

    @Test
    void anUnfinishedCharacterBecomesAReplacementOnlyAtTheEnd() {
        var decoder = BYTES.decoder(new int[0], false);
        assertThat(decoder.push(0xF0)).isEmpty();
        assertThat(decoder.push(0x9F)).isEmpty();
        assertThat(decoder.finish()).isEqualTo("\uFFFD");
    }

    @Test
    void whatCannotBecomeACharacterIsReplacedAtOnce() {
        var decoder = BYTES.decoder(new int[0], false);
        assertThat(decoder.push(0xFF)).isEqualTo("\uFFFD");
        assertThat(decoder.push(0xE6)).isEmpty();
        assertThat(decoder.push('x')).isEqualTo("\uFFFDx");
    }

    @Test
    void randomBytesStreamToTheDecodingOfTheWhole() {
        var random = new Random(1);
        for (int round = 0; round < 2_000; round++) {
            var ids = random.ints(random.nextInt(12), 0, 256).map(b -> random.nextBoolean() ? b | 0x80 : b).toArray();
            assertThat(stream(BYTES, ids)).isEqualTo(BYTES.decode(ids, false));
        }
    }

    /** The examples of Unicode 16, section 3.9, tables 3-8 to 3-11. */
    @Test
    void oneReplacementStandsForEachMaximalSubpart() {
        assertThat(BYTES.decode(new int[] {0xC0, 0xAF, 0xE0, 0x80, 0xBF, 0xF0, 0x81, 0x82, 0x41}, false))
                .isEqualTo("\uFFFD".repeat(8) + "A");
        assertThat(BYTES.decode(new int[] {0xED, 0xA0, 0x80, 0xED, 0xBF, 0xBF, 0xED, 0xAF, 0x41}, false))
                .isEqualTo("\uFFFD".repeat(8) + "A");
        assertThat(BYTES.decode(new int[] {0xF4, 0x91, 0x92, 0x93, 0xFF, 0x41, 0x80, 0xBF, 0x42}, false))
                .isEqualTo("\uFFFD".repeat(5) + "A\uFFFD\uFFFDB");
        assertThat(BYTES.decode(new int[] {0xE1, 0x80, 0xE2, 0xF0, 0x91, 0x92, 0xF1, 0xBF, 0x41}, false))
                .isEqualTo("\uFFFD".repeat(4) + "A");
    }

    @Test
    void theFirstSpaceOfATextIsTakenButNotThatOfAnAnswer() {
        assertThat(stream(FALLBACK, 256, 256)).isEqualTo("a a");
        var answer = FALLBACK.decoder(new int[] {256}, false);
        assertThat(answer.push(256)).isEqualTo(" a");
    }

    @Test
    void aBrokenRunOfBytesIsReplacedByteByByte() {
        assertThat(FALLBACK.decode(new int[] {0xE6, 0x97, 256}, false)).isEqualTo("\uFFFD\uFFFD a");
        assertThat(stream(FALLBACK, 0xE6, 0x97, 256)).isEqualTo("\uFFFD\uFFFD a");
    }

    @Test
    void aReplacementCharacterSpelledInBytesIsACharacter() {
        var ids = bytes("\uFFFD.");
        assertThat(stream(FALLBACK, ids)).isEqualTo("\uFFFD.").isEqualTo(FALLBACK.decode(ids, false));
    }

    @Test
    void aFinishedDecoderTakesNoMoreTokens() {
        var decoder = BYTES.decoder(new int[0], false);
        decoder.finish();
        assertThat(decoder.finish()).isEmpty();
        assertThatThrownBy(() -> decoder.push(1)).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("open a new one");
    }

    @Test
    void tokensGiveTheirBytes() {
        assertThat(BYTES.bytes(0xE6)).containsExactly(0xE6);
        assertThat(FALLBACK.bytes(0xE6)).containsExactly(0xE6);
        assertThat(FALLBACK.bytes(256)).containsExactly(' ', 'a');
        assertThat(FALLBACK.bytes(9999)).isEmpty();
    }

    @Test
    void replacementsAcrossPartsOfAFusedTextAreFound() {
        var codec = new TokenizerFiles().tokens("a<", "/w", ">b", "<").section("decoder",
                """
                        {"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "Replace", "pattern": {"String": "</w>"}, "content": " "}]}""")
                .codec();
        assertThat(stream(codec, 0, 1, 2, 3)).isEqualTo("a b<").isEqualTo(codec.decode(new int[] {0, 1, 2, 3}, false));
    }

    @Test
    void otherDecodersStreamToo() {
        var suffix = new TokenizerFiles().tokens("un", "do</w>")
                .section("decoder", "{\"type\": \"BPEDecoder\", \"suffix\": \"</w>\"}").codec();
        assertThat(stream(suffix, 0, 1, 0, 1)).isEqualTo("undo undo").isEqualTo(suffix.decode(new int[] {0, 1, 0, 1}, false));
        var metaspace = new TokenizerFiles().tokens("▁a", "b").section("decoder",
                "{\"type\": \"Metaspace\", \"replacement\": \"▁\", \"prepend_scheme\": \"always\"}").codec();
        assertThat(stream(metaspace, 0, 1, 0)).isEqualTo("ab a");
        var none = new TokenizerFiles().tokens("a", "b").codec();
        assertThat(stream(none, 0, 1)).isEqualTo("a b");
    }
}
