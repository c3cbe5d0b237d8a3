package org.maniple.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.maniple.api.text.IncrementalDecoder;
import org.maniple.api.text.TextCodec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What the reference makes of many texts with one tokenizer ({@code oracle-tokenizer-1}): tokens, texts, streams. */
final class TokenizerGoldens {

    private final JsonNode goldens;
    private final List<String> wrong = new ArrayList<>();

    /** Those of a tokenizer of the oracle, such as {@code tiny/tiny-gguf-bpe}. */
    TokenizerGoldens(String name) {
        Path file = Oracles.directory().resolve("tokenizers").resolve(name + ".json");
        this.goldens = new JsonMapper().readTree(file);
    }

    /**
     * Compares everything.
     *
     * @param special whether the codec adds the special tokens that the reference adds
     */
    void check(TextCodec codec, boolean special) {
        goldens.get("encode").forEach(golden -> encoding(codec, golden, special));
        goldens.get("decode").forEach(golden -> decoding(codec, golden));
        goldens.get("stream").forEach(golden -> stream(codec, golden));
        assertThat(goldens.get("encode").size()).isGreaterThan(100);
        assertThat(goldens.get("stream").size()).isGreaterThan(50);
        assertThat(wrong).as("what differs from the reference").isEmpty();
    }

    private void encoding(TextCodec codec, JsonNode golden, boolean special) {
        String text = golden.get("text").asString();
        int[] ids = Expected.ints(golden.get("ids"));
        compare("encode " + text, codec.encode(text, false), ids);
        if (special) {
            compare("encode with special " + text, codec.encode(text, true),
                    golden.has("ids_with_special") ? Expected.ints(golden.get("ids_with_special")) : ids);
        }
        decoding(codec, golden);
    }

    private void decoding(TextCodec codec, JsonNode golden) {
        int[] ids = Expected.ints(golden.get("ids"));
        String decoded = golden.get("decoded").asString();
        String skipped = golden.has("decoded_skip_special") ? golden.get("decoded_skip_special").asString() : decoded;
        compare("decode " + Arrays.toString(ids), codec.decode(ids, false), decoded);
        compare("decode without special " + Arrays.toString(ids), codec.decode(ids, true), skipped);
    }

    private void stream(TextCodec codec, JsonNode golden) {
        IncrementalDecoder decoder = codec.decoder(new int[0], true);
        String text = golden.get("text").asString();
        boolean complete = golden.path("complete").asBoolean(true);
        var all = new StringBuilder();
        for (int id : Expected.ints(golden.get("ids"))) {
            all.append(decoder.push(id));
            if (complete && !text.startsWith(all.toString())) {
                wrong.add("stream of " + text + ": " + all);
                return;
            }
        }
        all.append(decoder.finish());
        if (complete) {
            compare("stream", all.toString(), text);
        }
    }

    private void compare(String what, int[] found, int[] expected) {
        compare(what, Arrays.toString(found), Arrays.toString(expected));
    }

    private void compare(String what, String found, String expected) {
        if (!found.equals(expected)) {
            wrong.add(what + ": " + found + ", expected " + expected);
        }
    }
}
