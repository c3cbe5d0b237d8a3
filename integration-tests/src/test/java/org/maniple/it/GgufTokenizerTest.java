package org.maniple.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.checkpoint.CompanionFiles;
import org.maniple.api.text.TextCodec;
import org.maniple.checkpoint.gguf.GgufFormat;
import org.maniple.tokenizer.hf.HfTokenizerProvider;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The tokenizers inside GGUF files give what the published tokenizers that they were made from give. */
class GgufTokenizerTest {

    @TempDir
    private Path folder;

    static Stream<String> files() {
        return GgufOracleTest.FILES.stream();
    }

    private static Path file(String name) {
        return Oracles.directory().resolve("gguf").resolve(name + ".gguf");
    }

    private static TextCodec codec(Path file) {
        return codec(new GgufFormat().companions(file).orElseThrow());
    }

    private static TextCodec codec(CompanionFiles companions) {
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
        new TokenizerGoldens("tiny/" + names.split(" ")[1]).check(codec(file(names.split(" ")[0])), true);
    }

    /** What other tokenizers than ours may read, since nothing else is written down about the format. */
    @ParameterizedTest
    @ValueSource(strings = {"llama-q8_0", "llama-f32"})
    void theFileThatStandsForATokenizerSaysTheSameAsItsParts(String name) {
        CompanionFiles files = new GgufFormat().companions(file(name)).orElseThrow();
        TextCodec fromFile = codec(new WithoutParts(files));
        TextCodec fromParts = codec(files);

        assertThat(files.tokenizer()).isPresent();
        assertThat(fromFile.vocabularySize()).isEqualTo(fromParts.vocabularySize());
        new Expected(file(name)).json().get("tokenizer_cases").forEach(one -> {
            String text = one.get("text").asString();
            assertThat(fromFile.encode(text, true)).as(text).isEqualTo(fromParts.encode(text, true));
        });
    }

    private record WithoutParts(CompanionFiles files) implements CompanionFiles {

        @Override
        public String origin() {
            return files.origin();
        }

        @Override
        public Set<String> names() {
            return files.names();
        }

        @Override
        public Optional<byte[]> read(String name) {
            return files.read(name);
        }
    }

    /** Files name the way in which texts are cut into words; the vocabulary and the merges are in them. */
    @ParameterizedTest
    @CsvSource({"deepseek-v3, deepseek-v3", "gpt-oss, gpt-4o", "llama-3.1, llama-bpe", "qwen3, qwen2"})
    void bytePairsAreCutByTheNameOfTheirPreTokenizer(String published, String pre) {
        Path file = folder.resolve("model.gguf");
        VocabularyFile.bytePairs(published("tiny/tiny-" + published), pre).write(file);
        new TokenizerGoldens("tiny/tiny-" + published).check(codec(file), pre.equals("llama-bpe"));
    }

    /** A space is put before a text unless a file says that none is. */
    @ParameterizedTest
    @CsvSource({"llama-2, true", "gemma-3, false"})
    void sentencePiecesAreMergedByTheirScores(String published, boolean prefix) {
        Path file = folder.resolve("model.gguf");
        VocabularyFile.sentencePieces(published("tiny/tiny-" + published), prefix).write(file);
        new TokenizerGoldens("tiny/tiny-" + published).check(codec(file), true);
    }

    /**
     * The published files themselves, which {@code plugins/tokenizer-hf/src/test/scripts/fetch-real-tokenizers} fetches, as GGUF files.
     */
    @ParameterizedTest
    @CsvSource({"deepseek-v3, deepseek-v3", "gpt-oss, gpt-4o", "llama-3, llama-bpe", "llama-3.1, llama-bpe", "qwen3, qwen2",
        "llama-2, spm", "gemma-3, spm"})
    void publishedVocabulariesGiveTheirTokens(String published, String pre) {
        String real = System.getProperty("maniple.tokenizers.real", "");
        Assumptions.assumeTrue(!real.isEmpty(), "no published tokenizers; fetch them and give -Dmaniple.tokenizers.real=DIR");
        Path file = folder.resolve("model.gguf");
        JsonNode tokenizer = new JsonMapper().readTree(Path.of(real).resolve(published + ".json"));
        GgufWriter writer = pre.equals("spm")
                ? VocabularyFile.sentencePieces(tokenizer, published.equals("llama-2"))
                : VocabularyFile.bytePairs(tokenizer, pre);
        if (published.equals("llama-3")) {
            // As it was published at first, texts do not begin with a token for that, unlike those of its successors.
            writer.value("tokenizer.ggml.add_bos_token", false);
        }
        writer.write(file);
        new TokenizerGoldens("real/" + published).check(codec(file), pre.equals("llama-bpe") || pre.equals("spm"));
    }

    /**
     * The words into which the pattern that Kimi K2 is published with cuts texts, as three engines do (tiktoken, Oniguruma, Python's regex). A vocabulary of
     * these words makes them visible: a word that is a token is that token.
     */
    static Stream<Arguments> wordsOfKimi() {
        return Stream.of(List.of("get", "User", "Name", " of", " i", "Phone"),
                List.of("I'll", " say", " HE'S", " here", ",", " we'RE", " not"), List.of("abc", "中文", "def", " ", "漢字"),
                List.of("日本語", "のテキスト", "、カタカナ", "。"), List.of("中文", "123", "456", "，", "789", "0"),
                List.of(" ", " two", " ", " spaces", "\n\n", "\tand", " a", " tab", " \n"),
                List.of("x", "=", "中", "+", "1", ";", " //", "注释"), List.of("Ünïcode", " ΑΒγ", " Жук"), List.of("한국어", " 문장"),
                List.of("…!?\r\n", "(«", "quoted", "»)"), List.of("々〇", " ㍿", " a", "々", "b")).map(Arguments::of);
    }

    @ParameterizedTest
    @MethodSource("wordsOfKimi")
    void kimiHasWordsOfChineseCharactersAlone(List<String> words) {
        Path file = folder.resolve("model.gguf");
        List<String> tokens = ByteAlphabet.vocabulary(words);
        VocabularyFile.bytePairs(ByteAlphabet.tokenizer(tokens), "kimi-k2").write(file);

        assertThat(codec(file).encode(String.join("", words), true))
                .containsExactly(words.stream().mapToInt(word -> tokens.indexOf(ByteAlphabet.of(word))).toArray());
    }

    @Test
    void aPreTokenizerThatNobodyKnowsIsNamedWithThoseThatAreKnown() {
        Path file = folder.resolve("model.gguf");
        VocabularyFile.bytePairs(published("tiny/tiny-qwen3"), "klingon").write(file);

        assertThatThrownBy(() -> codec(file)).isInstanceOf(CheckpointException.class)
                .hasMessageContaining("metadata [tokenizer.ggml.pre] is [klingon], expected one of [chatglm-bpe, ");
    }

    private static JsonNode published(String name) {
        return new JsonMapper().readTree(Oracles.directory().resolve("tokenizers").resolve(name + ".tokenizer.json"));
    }

    @Test
    void theChatTemplateComesFromTheFile() {
        TextCodec codec = codec(file("llama-q8_0"));

        assertThat(codec.hasChatTemplate()).isTrue();
        assertThat(codec.chat(List.of(Map.of("role", "user", "content", "Hi")), Map.of("add_generation_prompt", true)))
                .isEqualTo("user: Hi\nassistant: ");
    }
}
