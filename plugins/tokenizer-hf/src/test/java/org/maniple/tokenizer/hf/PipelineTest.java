package org.maniple.tokenizer.hf;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** What each step of a tokenizer.json does to a text; the words that come out are shown with {@code ignore_merges}. */
class PipelineTest {
    private static final String ANYTHING = "\"ignore_merges\": true, \"unk_token\": \"?\", \"fuse_unk\": true";

    private static String[] words(TokenizerFiles file, String text) {
        var codec = file.options(ANYTHING).codec();
        return Arrays.stream(codec.encode(text, false)).mapToObj(id -> codec.token(id).orElseThrow()).toArray(String[]::new);
    }

    @Test
    void digitsAreCutOneByOneOrInRuns() {
        var each = new TokenizerFiles().tokens("?", "ab", "1", "2", "12").section("pre_tokenizer",
                "{\"type\": \"Digits\", \"individual_digits\": true}");
        assertThat(words(each, "ab12ab")).containsExactly("ab", "1", "2", "ab");
        var runs = new TokenizerFiles().tokens("?", "ab", "1", "2", "12").section("pre_tokenizer",
                "{\"type\": \"Digits\", \"individual_digits\": false}");
        assertThat(words(runs, "ab12ab")).containsExactly("ab", "12", "ab");
    }

    @Test
    void splitBehavioursDecideWhereTheSeparatorGoes() {
        assertThat(words(split("Removed"), "a--b")).containsExactly("a", "b");
        assertThat(words(split("Isolated"), "a--b")).containsExactly("a", "-", "-", "b");
        assertThat(words(split("MergedWithPrevious"), "a--b")).containsExactly("a-", "-", "b");
        assertThat(words(split("MergedWithNext"), "a--b")).containsExactly("a", "-", "-b");
        assertThat(words(split("Contiguous"), "a--b")).containsExactly("a", "--", "b");
    }

    private static TokenizerFiles split(String behavior) {
        return new TokenizerFiles().tokens("?", "a", "b", "-", "--", "a-", "-b").section("pre_tokenizer",
                "{\"type\": \"Split\", \"pattern\": {\"String\": \"-\"}, \"behavior\": \"" + behavior + "\", \"invert\": false}");
    }

    @Test
    void metaspaceMarksSpacesAndTheBeginning() {
        var file = new TokenizerFiles().tokens("?", "▁a", "▁b").section("pre_tokenizer",
                "{\"type\": \"Metaspace\", \"replacement\": \"▁\", \"prepend_scheme\": \"first\", \"split\": true}");
        assertThat(words(file, "a b")).containsExactly("▁a", "▁b");
    }

    @Test
    void whitespaceKeepsWordsAndPunctuationApart() {
        var file = new TokenizerFiles().tokens("?", "héllo", "!?").section("pre_tokenizer", "{\"type\": \"Whitespace\"}");
        assertThat(words(file, " héllo!?\n héllo")).containsExactly("héllo", "!?", "héllo");
    }

    @Test
    void punctuationStandsAlone() {
        var file = new TokenizerFiles().tokens("?", "a", "b", "$", "。").section("pre_tokenizer",
                "{\"type\": \"Punctuation\", \"behavior\": \"Isolated\"}");
        assertThat(words(file, "a$b。")).containsExactly("a", "$", "b", "。");
    }

    @Test
    void normalizersRunInOrder() {
        var file = new TokenizerFiles().tokens("?", "▁fi_σσ").section("normalizer", """
                {"type": "Sequence", "normalizers": [{"type": "Strip", "strip_left": true, "strip_right": true}, {"type": "NFKC"},
                 {"type": "Lowercase"}, {"type": "Replace", "pattern": {"Regex": "\\\\s+"}, "content": "_"},
                 {"type": "Prepend", "prepend": "▁"}]}""");
        assertThat(words(file, "  ﬁ  \t ΣΣ \n")).containsExactly("▁fi_σσ");
    }

    @Test
    void regexesHaveOnigurumasMeaning() {
        assertThat(words(cutBy("\\\\h+"), "xFFx")).containsExactly("x", "FF", "x");
        assertThat(words(cutBy("\\\\p{Han}+"), "x漢字x")).containsExactly("x", "漢字", "x");
        assertThat(words(cutBy("[[:digit:]]{1,2}+"), "x1234x")).containsExactly("x", "1234", "x");
        assertThat(words(cutBy("\\\\p{^L}{,2}z"), "x12zx")).containsExactly("x", "12z", "x");
        assertThat(words(cutBy("(?i:k)"), "x\u212Ax")).containsExactly("x", "\u212A", "x");
    }

    private static TokenizerFiles cutBy(String regex) {
        return new TokenizerFiles().tokens("?", "x", "FF", "漢字", "1234", "12z", "\u212A").section("pre_tokenizer",
                "{\"type\": \"Split\", \"pattern\": {\"Regex\": \"" + regex
                        + "\"}, \"behavior\": \"Isolated\", \"invert\": false}");
    }

    @Test
    void addedTokensTakeTheSpaceTheyAskFor() {
        var file = new TokenizerFiles().tokens("?", "a", "b", " ").section("added_tokens",
                "[{\"id\": 9, \"content\": \"<x>\", \"lstrip\": true, \"rstrip\": true, \"normalized\": false, \"special\": true}]");
        assertThat(words(file, "a  <x> b")).containsExactly("a", "<x>", "b");
    }

    @Test
    void singleWordTokensAreNotFoundInsideWords() {
        var file = new TokenizerFiles().tokens("?", "c", "a", "t", "s", "!").section("added_tokens",
                "[{\"id\": 9, \"content\": \"cat\", \"single_word\": true, \"normalized\": false, \"special\": false}]");
        assertThat(words(file, "cat!cats")).containsExactly("cat", "!", "c", "a", "t", "s");
    }

    @Test
    void theLongestAddedTokenWins() {
        var file = new TokenizerFiles().tokens("?").section("added_tokens", """
                [{"id": 1, "content": "<a", "normalized": false, "special": true},
                 {"id": 2, "content": "<a>", "normalized": false, "special": true}]""");
        assertThat(file.codec().encode("<a><a", false)).containsExactly(2, 1);
    }

    @Test
    void halfASurrogatePairIsEncodedAsAReplacementCharacter() {
        var file = new TokenizerFiles().tokens("?", "\uFFFD");
        assertThat(words(file, "\uD83D")).containsExactly("\uFFFD");
    }

    @Test
    void mergesApplyInTheOrderOfTheFileAndFromTheLeft() {
        var codec = new TokenizerFiles().tokens("a", "b", "c", "aa", "ab", "aab").merges("a a", "a b", "aa b").codec();
        assertThat(codec.encode("aaab", false)).containsExactly(3, 4);
        assertThat(codec.encode("aaba", false)).containsExactly(5, 0);
    }

    @Test
    void aWordOfAMillionCharactersIsMergedWithoutQuadraticTime() {
        var codec = new TokenizerFiles().tokens("a", "aa", "aaaa", "aaaaaaaa").merges("a a", "aa aa", "aaaa aaaa").codec();
        assertThat(codec.encode("a".repeat(1_000_000), false)).hasSize(125_000).containsOnly(3);
    }

    @Test
    void theWordCacheStaysBounded() {
        var cache = new WordCache(100);
        for (int i = 0; i < 10_000; i++) {
            cache.put("word" + i, new int[] {i});
        }
        assertThat(cache.size()).isLessThanOrEqualTo(200);
        assertThat(cache.get("word9999")).containsExactly(9999);
    }
}
