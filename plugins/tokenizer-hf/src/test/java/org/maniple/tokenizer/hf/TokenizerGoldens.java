package org.maniple.tokenizer.hf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/** Compares a codec with one golden file of the oracle ({@code oracle-tokenizer-1}). */
final class TokenizerGoldens {
    private final JsonNode goldens;
    private final HfTextCodec codec;

    TokenizerGoldens(JsonNode goldens, Path tokenizer) {
        this.goldens = goldens;
        this.codec = codec(tokenizer);
    }

    static HfTextCodec codec(Path tokenizer) {
        var json = TokenizerJson.read(tokenizer.toString(), BoundedFiles.read(tokenizer, BoundedFiles.LARGEST_TOKENIZER));
        return new HfTextCodec(json, SpecialTokenPolicy.none(), ChatTemplates.none());
    }

    int compareAll() {
        return tokens() + encodings() + decodings() + streams();
    }

    int tokens() {
        assertEquals(goldens.get("vocab_size").intValue(), codec.vocabularySize());
        goldens.get("tokens").properties().forEach(token -> {
            int id = Integer.parseInt(token.getKey());
            assertEquals(token.getValue().stringValue(), codec.token(id).orElseThrow());
            assertEquals(id, codec.id(token.getValue().stringValue()).orElseThrow());
        });
        return goldens.get("tokens").size();
    }

    int encodings() {
        for (var golden : goldens.get("encode")) {
            var text = golden.get("text").stringValue();
            var ids = Oracle.ids(golden.get("ids"));
            assertArrayEquals(ids, codec.encode(text, false), () -> "ids of " + text);
            var withSpecial = golden.has("ids_with_special") ? Oracle.ids(golden.get("ids_with_special")) : ids;
            assertArrayEquals(withSpecial, codec.encode(text, true), () -> "ids with special tokens of " + text);
            decoding(ids, golden);
        }
        return goldens.get("encode").size();
    }

    int decodings() {
        goldens.get("decode").forEach(golden -> decoding(Oracle.ids(golden.get("ids")), golden));
        return goldens.get("decode").size();
    }

    private void decoding(int[] ids, JsonNode golden) {
        var decoded = golden.get("decoded").stringValue();
        assertEquals(decoded, codec.decode(ids, false));
        var skipped = Optional.ofNullable(golden.get("decoded_skip_special")).map(JsonNode::stringValue).orElse(decoded);
        assertEquals(skipped, codec.decode(ids, true));
    }

    int streams() {
        for (var golden : goldens.get("stream")) {
            var decoder = codec.decoder(new int[0], true);
            var text = golden.get("text").stringValue();
            boolean complete = golden.path("complete").asBoolean(true);
            var all = new StringBuilder();
            for (int id : Oracle.ids(golden.get("ids"))) {
                var chunk = decoder.push(id);
                assertFalse(endsInsideCharacter(chunk), () -> "half a character in " + chunk);
                all.append(chunk);
                if (complete) {
                    assertTrue(text.startsWith(all.toString()), () -> "\"" + all + "\" is not the beginning of \"" + text + "\"");
                }
            }
            all.append(decoder.finish());
            if (complete) {
                assertEquals(text, all.toString());
            }
        }
        return goldens.get("stream").size();
    }

    private static boolean endsInsideCharacter(String chunk) {
        return !chunk.isEmpty() && (Character.isHighSurrogate(chunk.charAt(chunk.length() - 1))
                || Character.isLowSurrogate(chunk.charAt(0)));
    }
}
