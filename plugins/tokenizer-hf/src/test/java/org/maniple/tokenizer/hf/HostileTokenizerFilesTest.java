package org.maniple.tokenizer.hf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A damaged or malicious tokenizer.json is refused with the file, the field and the reason; it breaks nothing. */
class HostileTokenizerFilesTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            []                                                                                        | expected an object
            {}                                                                                        | field model: is missing
            {"model": 3}                                                                              | field model: expected an object
            {"model": {"type": "BPE"}}                                                                | field model.vocab: is missing
            {"model": {"type": "Unigram", "vocab": [["a", 0.5]]}}                                     | field model.type: a Unigram model is not supported
            {"model": {"type": "WordPiece", "vocab": {"a": 0}}}                                       | a WordPiece model is not supported
            {"model": {"vocab": {"a": "0"}}}                                                          | field model.vocab["a"]: expected an id
            {"model": {"vocab": {"a": -1}}}                                                           | expected an id from 0 to 8388608, found -1
            {"model": {"vocab": {"a": 99999999999999999999}}}                                         | expected an id from 0
            {"model": {"vocab": {"a": 0, "b": 0}}}                                                    | its id 0 is there twice
            {"model": {"vocab": {"a": 0, "a": 1}}}                                                    | the token or its id 1 is there twice
            {"model": {"vocab": {"a": 0}, "merges": ["a"]}}                                           | field model.merges[0]: expected two tokens
            {"model": {"vocab": {"a": 0}, "merges": [["a", 1]]}}                                      | field model.merges[0]: expected a pair
            {"model": {"vocab": {"a": 0}, "merges": [["a", "a", "a"]]}}                               | field model.merges[0]: expected a pair
            {"model": {"vocab": {"a": 0}, "merges": ["a b"]}}                                         | field model.merges[0]: "b" is not in model.vocab
            {"model": {"vocab": {"a": 0}, "merges": ["a a"]}}                                         | "aa" is not in model.vocab
            {"model": {"vocab": {"": 0, "a": 1}, "merges": [["a", ""]]}}                              | makes a token of itself
            {"model": {"vocab": {"a": 0}, "unk_token": "u"}}                                          | field model.unk_token: "u" is not in model.vocab
            {"model": {"vocab": {"a": 0}, "dropout": 0.1}}                                            | field model.dropout: dropout makes encoding random
            {"model": {"vocab": {"a": 0}, "byte_fallback": "yes"}}                                    | field model.byte_fallback: expected true or false
            {"model": {"vocab": {"a": 0}}, "added_tokens": {}}                                        | field added_tokens: expected an array
            {"model": {"vocab": {"a": 0}}, "added_tokens": [{"id": 0, "content": "b"}]}               | field added_tokens[0].id: is 0, which model.vocab gives to "a"
            {"model": {"vocab": {"a": 0}}, "added_tokens": [{"id": 1, "content": "a"}]}               | but model.vocab gives "a" the id 0
            {"model": {"vocab": {"a": 0}}, "added_tokens": [{"id": 1.5, "content": "b"}]}             | field added_tokens[0].id: expected an integer
            {"model": {"vocab": {"a": 0}}, "added_tokens": [{"id": 1, "content": ""}]}                | field added_tokens[0].content: expected 1 to 1024
            {"model": {"vocab": {"a": 0}}, "added_tokens": [{"id": 1, "content": "b"}, {"id": 1, "content": "c"}]} | field added_tokens[1]: the id or the content
            {"model": {"vocab": {"a": 0}}, "normalizer": {"type": "Precompiled"}}                     | field normalizer.type: normalizer not supported
            {"model": {"vocab": {"a": 0}}, "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated"}} | field pre_tokenizer.pattern.Regex: the regex cannot be used
            {"model": {"vocab": {"a": 0}}, "pre_tokenizer": {"type": "Split", "pattern": {"String": "x"}, "behavior": "Gone"}} | field pre_tokenizer.behavior: unknown behaviour
            {"model": {"vocab": {"a": 0}}, "post_processor": {"type": "TemplateProcessing", "single": []}} | field post_processor.single: expected the sequence A exactly once
            {"model": {"vocab": {"a": 0}}, "post_processor": {"type": "BertProcessing", "cls": ["c", 7], "sep": ["s", 8]}} | no token has the id 7
            {"model": {"vocab": {"a": 0}}, "decoder": {"type": "CTC"}}                                | field decoder.type: decoder not supported
            {"model": {"vocab": {"a": 0}}, "decoder": {"type": "Strip", "content": "ab", "start": 1, "stop": 0}} | field decoder.content: expected one character
            {"model": {"vocab": {"a": 0                                                               | is not valid JSON
            """)
    void everyDamageIsNamed(String json, String message) {
        assertThatThrownBy(() -> TokenizerFiles.codec(json)).isInstanceOf(TokenizerFileException.class)
                .hasMessageStartingWith("tokenizer.json").hasMessageContaining(message);
    }

    @Test
    void sequencesNestedTooDeeplyAreRefused() {
        var nested = "{\"type\": \"Sequence\", \"normalizers\": [".repeat(30) + "]}".repeat(30);
        assertThatThrownBy(() -> new TokenizerFiles().tokens("a").section("normalizer", nested).codec())
                .isInstanceOf(TokenizerFileException.class);
    }

    @Test
    void aRegexThatBacktracksWithoutEndIsStopped() {
        var codec = new TokenizerFiles().tokens("a").section("pre_tokenizer",
                "{\"type\": \"Split\", \"pattern\": {\"Regex\": \"(a|aa)+\\\\1c\"}, \"behavior\": \"Isolated\", \"invert\": false}")
                .codec();
        assertThatThrownBy(() -> codec.encode("a".repeat(40) + "b", false))
                .hasMessageContaining("takes too long on a text of 41 characters");
    }

    @Test
    void aRegexThatNeedsTooMuchStackIsStopped() {
        var codec = new TokenizerFiles().tokens("a").section("pre_tokenizer",
                "{\"type\": \"Split\", \"pattern\": {\"Regex\": \"(a|b)+\"}, \"behavior\": \"Isolated\", \"invert\": false}")
                .codec();
        assertThatThrownBy(() -> codec.encode("ab".repeat(500_000), false)).hasMessageContaining("too much stack");
    }

    @Test
    void filesWithRandomDamageLoadOrAreRefused() throws Exception {
        var random = new Random(7);
        int refused = 0;
        for (var file : Oracle.files("tokenizers/tiny", ".tokenizer.json")) {
            var original = Files.readAllBytes(file);
            for (int round = 0; round < 60; round++) {
                refused += loads(damaged(original, random)) ? 0 : 1;
            }
        }
        assertThat(refused).isGreaterThan(100);
    }

    private static byte[] damaged(byte[] original, Random random) {
        var text = new StringBuilder(new String(original, StandardCharsets.UTF_8));
        for (int i = random.nextInt(4); i >= 0; i--) {
            // most of a file is vocabulary; half of the damage goes into the first lines, where everything else is
            int at = random.nextInt(random.nextBoolean() ? text.length() : Math.min(text.length(), 3_000));
            switch (random.nextInt(4)) {
                case 0 -> text.setCharAt(at, (char) (32 + random.nextInt(95)));
                case 1 -> text.delete(at, Math.min(text.length(), at + random.nextInt(40)));
                case 2 -> text.insert(at, text.substring(at, Math.min(text.length(), at + random.nextInt(40))));
                default -> text.insert(at,
                        new String[] {"null", "-1", "[]", "{}", "\"\"", "1e999", "\\u0000", "true"}[random.nextInt(8)]);
            }
        }
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** Whether the file loads; then its codec must work or refuse as well. */
    private static boolean loads(byte[] json) {
        HfTextCodec codec;
        try {
            codec = new HfTextCodec(TokenizerJson.read("tokenizer.json", json), SpecialTokenPolicy.none(), ChatTemplates.none());
        } catch (TokenizerFileException expected) {
            return false;
        }
        try {
            var ids = codec.encode("Hello, wörld! 123 <s> 日本 😀\n\n  x", true);
            codec.decode(ids, true);
            var decoder = codec.decoder(ids, false);
            for (int id : ids) {
                decoder.push(id);
                codec.bytes(id);
            }
            decoder.finish();
        } catch (org.maniple.api.text.TextException expected) {
            return true;
        }
        return true;
    }
}
