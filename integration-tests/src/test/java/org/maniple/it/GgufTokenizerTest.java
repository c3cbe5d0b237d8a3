package org.maniple.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.checkpoint.CompanionFiles;
import org.maniple.api.text.TextCodec;
import org.maniple.checkpoint.gguf.GgufFormat;
import org.maniple.tokenizer.hf.HfTokenizerProvider;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The tokenizers inside GGUF files give what the published tokenizers that they were made from give. */
class GgufTokenizerTest {

    static Stream<String> files() {
        return GgufOracleTest.FILES.stream();
    }

    private static Path file(String name) {
        return Oracles.directory().resolve("gguf").resolve(name + ".gguf");
    }

    private static TextCodec codec(Path file) {
        CompanionFiles companions = new GgufFormat().companions(file).orElseThrow();
        return new HfTokenizerProvider().load(companions, new TestContext(new MapSettings(Map.of(), List.of())));
    }

    @ParameterizedTest
    @MethodSource("files")
    void textsOfTheOracleBecomeItsTokens(String name) {
        TextCodec codec = codec(file(name));
        JsonNode cases = new Expected(file(name)).json().get("tokenizer_cases");
        assertThat(cases.size()).isPositive();
        cases.forEach(one -> assertThat(codec.encode(one.get("text").asString(), true)).as(one.get("text").asString())
                .containsExactly(Expected.ints(one.get("ids"))));
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama-q8_0 tiny-gguf-bpe", "llama-f32 tiny-gguf-spm"})
    void allGoldensOfTheSameTokenizerHold(String names) {
        TextCodec codec = codec(file(names.split(" ")[0]));
        Path goldens = Oracles.directory().resolve("tokenizers/tiny").resolve(names.split(" ")[1] + ".json");
        JsonNode json = new JsonMapper().readTree(goldens);
        var wrong = new ArrayList<String>();
        json.get("encode").forEach(one -> {
            String text = one.get("text").asString();
            int[] ids = Expected.ints(one.get("ids"));
            int[] special = one.has("ids_with_special") ? Expected.ints(one.get("ids_with_special")) : ids;
            compare("encode " + text, codec.encode(text, false), ids, wrong);
            compare("encode with special " + text, codec.encode(text, true), special, wrong);
            if (one.has("decoded") && !codec.decode(ids, false).equals(one.get("decoded").asString())) {
                wrong.add("decode " + text);
            }
        });
        assertThat(wrong).isEmpty();
        assertThat(json.get("encode").size()).isGreaterThan(100);
    }

    private static void compare(String what, int[] found, int[] expected, List<String> wrong) {
        if (!java.util.Arrays.equals(found, expected)) {
            wrong.add(what + ": " + java.util.Arrays.toString(found) + ", expected " + java.util.Arrays.toString(expected));
        }
    }

    @Test
    void theChatTemplateComesFromTheFile() {
        TextCodec codec = codec(file("llama-q8_0"));

        assertThat(codec.hasChatTemplate()).isTrue();
        assertThat(codec.chat(List.of(Map.of("role", "user", "content", "Hi")), Map.of("add_generation_prompt", true)))
                .isEqualTo("user: Hi\nassistant: ");
    }
}
