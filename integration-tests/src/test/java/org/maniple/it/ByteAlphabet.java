package org.maniple.it;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The characters that stand for bytes in vocabularies of byte pairs since GPT-2: printable ones for themselves, the others from 256 on. */
final class ByteAlphabet {

    private static final int BYTES = 256;

    private ByteAlphabet() {}

    /** A text's bytes. */
    static String of(String text) {
        var out = new StringBuilder();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            out.append(character(b & 0xff));
        }
        return out.toString();
    }

    private static char character(int value) {
        if (printable(value)) {
            return (char) value;
        }
        int before = 0;
        for (int other = 0; other < value; other++) {
            before += printable(other) ? 0 : 1;
        }
        return (char) (BYTES + before);
    }

    private static boolean printable(int value) {
        return value >= '!' && value <= '~' || value >= 0xa1 && value != 0xad;
    }

    /** All bytes, and behind them {@code qq} and words. */
    static List<String> vocabulary(List<String> words) {
        var tokens = new ArrayList<String>();
        for (int value = 0; value < BYTES; value++) {
            tokens.add(String.valueOf(character(value)));
        }
        tokens.add("qq");
        words.stream().map(ByteAlphabet::of).filter(word -> !tokens.contains(word)).distinct().forEach(tokens::add);
        return tokens;
    }

    /** A tokenizer.json that merges nothing but {@code qq}, since there must be something. */
    static JsonNode tokenizer(List<String> tokens) {
        var ids = new LinkedHashMap<String, Integer>();
        tokens.forEach(token -> ids.put(token, ids.size()));
        return new JsonMapper()
                .valueToTree(Map.of("added_tokens", List.of(), "model", Map.of("vocab", ids, "merges", List.of("q q"))));
    }
}
