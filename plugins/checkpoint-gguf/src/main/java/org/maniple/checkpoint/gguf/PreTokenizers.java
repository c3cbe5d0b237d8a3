package org.maniple.checkpoint.gguf;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * How texts are cut into words before pairs of bytes are merged, by the names that files have for it. The patterns are those of the models'
 * published tokenizers.
 */
final class PreTokenizers {

    /**
     * One way of cutting.
     *
     * @param patterns one after the other; each cuts what the ones before left
     * @param digits whether every digit is a word
     * @param gpt2 whether GPT-2's pattern comes last
     * @param wholeWords whether a word that is a token is that token, whatever the merges say
     * @param beginning whether a text begins with the token for that, if the file does not say
     * @param composed whether characters are composed (NFC) before
     */
    record PreTokenizer(List<String> patterns, boolean digits, boolean gpt2, boolean wholeWords, boolean beginning,
            boolean composed) {

        /** One that takes characters as they are. */
        PreTokenizer(List<String> patterns, boolean digits, boolean gpt2, boolean wholeWords, boolean beginning) {
            this(patterns, digits, gpt2, wholeWords, beginning, false);
        }

        /** As a published tokenizer.json has it. */
        Map<String, Object> json() {
            var steps = new ArrayList<Map<String, Object>>();
            if (digits) {
                steps.add(Map.of("type", "Digits", "individual_digits", true));
            }
            for (String pattern : patterns) {
                steps.add(Map.of("type", "Split", "pattern", Map.of("Regex", pattern), "behavior", "Isolated", "invert", false));
            }
            var bytes = new LinkedHashMap<String, Object>();
            bytes.put("type", "ByteLevel");
            bytes.put("add_prefix_space", false);
            bytes.put("trim_offsets", true);
            bytes.put("use_regex", gpt2);
            steps.add(bytes);
            return Map.of("type", "Sequence", "pretokenizers", steps);
        }
    }

    private static final String GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
    private static final String LLAMA3 = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    private static final String QWEN2 = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}"
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    private static final String UPPER = "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+";
    private static final String LOWER = "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*";
    private static final String REST = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    private static final String CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?";
    private static final String GPT4O = UPPER + CONTRACTION + "|" + LOWER + CONTRACTION + "|\\p{N}{1,3}" + REST;
    private static final String TEKKEN = UPPER + "|" + LOWER + "|\\p{N}" + REST;
    /** Chinese characters are words of their own, and belong to no others. */
    private static final String KIMI_K2 = "[\\p{Han}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]*"
            + "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]+" + CONTRACTION
            + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]+"
            + "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]*" + CONTRACTION
            + "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    private static final String DEEPSEEK_V3 = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+"
            + "|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    /** Letters with case, in the version of Unicode that DeepSeek's first tokenizer was made with. */
    private static final String CASED = "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώ"
            + "ᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃";

    private static final PreTokenizer PLAIN_GPT2 = new PreTokenizer(List.of(), false, true, false, false);
    private static final PreTokenizer DIGITS_GPT2 = new PreTokenizer(List.of(), true, true, false, false);
    private static final PreTokenizer OF_LLAMA3 = new PreTokenizer(List.of(LLAMA3), false, false, true, true);
    private static final PreTokenizer LIKE_LLAMA3 = split(LLAMA3);
    private static final PreTokenizer LIKE_QWEN2 = split(QWEN2);
    private static final PreTokenizer OF_QWEN2 = new PreTokenizer(List.of(QWEN2), false, false, false, false, true);
    private static final PreTokenizer OF_GPT4O = split(GPT4O);

    private static final Map<String, PreTokenizer> KNOWN = new TreeMap<>(Map.ofEntries(
            Map.entry("default", split("[\\p{P}\\$\\+<=>\\^~\\|]+", GPT2, "\\p{N}+", "[0-9][0-9][0-9]")),
            Map.entry("llama-bpe", OF_LLAMA3), Map.entry("llama3", OF_LLAMA3), Map.entry("llama-v3", OF_LLAMA3),
            Map.entry("dbrx", LIKE_LLAMA3), Map.entry("smaug-bpe", LIKE_LLAMA3), Map.entry("glm4", LIKE_LLAMA3),
            Map.entry("chatglm-bpe", LIKE_LLAMA3), Map.entry("smollm", DIGITS_GPT2), Map.entry("starcoder", DIGITS_GPT2),
            Map.entry("refact", DIGITS_GPT2), Map.entry("command-r", DIGITS_GPT2), Map.entry("codeshell", DIGITS_GPT2),
            Map.entry("exaone", DIGITS_GPT2), Map.entry("minerva-7b", DIGITS_GPT2), Map.entry("gpt-2", PLAIN_GPT2),
            Map.entry("mpt", PLAIN_GPT2), Map.entry("olmo", PLAIN_GPT2), Map.entry("phi-2", PLAIN_GPT2),
            Map.entry("qwen2", OF_QWEN2), Map.entry("stablelm2", LIKE_QWEN2), Map.entry("megrez", LIKE_QWEN2),
            Map.entry("deepseek-r1-qwen", LIKE_QWEN2), Map.entry("gpt-4o", OF_GPT4O), Map.entry("llama4", OF_GPT4O),
            Map.entry("kimi-k2", new PreTokenizer(List.of(KIMI_K2), false, false, true, false)),
            Map.entry("tekken", new PreTokenizer(List.of(TEKKEN), false, false, true, false)),
            Map.entry("deepseek-llm", split("[\\r\\n]", "\\s?[" + CASED + "]+", "\\s?[!-/:-~！-／：-～‘-‟　-。]+", "\\s+$",
                    "[一-龥ࠀ-一가-퟿]+", "\\p{N}+")),
            Map.entry("deepseek-coder", split("[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", "[一-龥ࠀ-一가-퟿]+", "\\p{N}")),
            Map.entry("deepseek-v3", split("\\p{N}{1,3}", "[一-龥\u3040-ゟ゠-ヿ]+", DEEPSEEK_V3))));

    private PreTokenizers() {}

    private static PreTokenizer split(String... patterns) {
        return new PreTokenizer(List.of(patterns), false, false, false, false);
    }

    /** The way of cutting that a file names; without a name, the default. */
    static PreTokenizer of(TokenizerMetadata tokenizer) {
        PreTokenizer known = KNOWN.get(tokenizer.text("pre").orElse("default"));
        if (known == null) {
            throw tokenizer.wrong("pre", "one of " + KNOWN.keySet());
        }
        return known;
    }
}
