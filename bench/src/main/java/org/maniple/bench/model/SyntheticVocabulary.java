package org.maniple.bench.model;

import java.util.ArrayList;
import java.util.List;

/**
 * A byte-level BPE vocabulary of a given size that encodes any text: the 256 bytes, then words of small letters from the shortest on, each
 * made by one merge, then control tokens. It is as large as the real one and so costs as much to load, but says nothing about language.
 *
 * @param tokens spelt in the byte alphabet of GPT-2, the control tokens last
 * @param merges two parts each, in order of precedence
 */
record SyntheticVocabulary(List<String> tokens, List<String> merges) {

    static final List<String> CONTROLS = List.of("<|endoftext|>", "<|im_start|>", "<|im_end|>");

    /** Messages one after the other, each between two control tokens. */
    static final String CHAT_TEMPLATE = "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content']"
            + " + '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

    private static final int BYTES = 256;
    private static final int LETTERS = 26;

    static SyntheticVocabulary of(int size) {
        var tokens = new ArrayList<String>(size);
        for (int value = 0; value < BYTES; value++) {
            tokens.add(spelling(value));
        }
        int words = size - BYTES - CONTROLS.size();
        var merges = new ArrayList<String>(words);
        var last = new ArrayList<String>();
        for (char letter = 'a'; letter < 'a' + LETTERS; letter++) {
            last.add(String.valueOf(letter));
        }
        while (merges.size() < words) {
            last = longer(last, words, tokens, merges);
        }
        tokens.addAll(CONTROLS);
        return new SyntheticVocabulary(List.copyOf(tokens), List.copyOf(merges));
    }

    private static ArrayList<String> longer(List<String> words, int most, List<String> tokens, List<String> merges) {
        var longer = new ArrayList<String>();
        for (String word : words) {
            for (char letter = 'a'; letter < 'a' + LETTERS && merges.size() < most; letter++) {
                longer.add(word + letter);
                tokens.add(word + letter);
                merges.add(word + " " + letter);
            }
        }
        return longer;
    }

    /** GPT-2 spells bytes that are printable as themselves, and the others as the letters from U+0100 on. */
    private static String spelling(int value) {
        return printable(value) ? String.valueOf((char) value) : String.valueOf((char) (BYTES + before(value)));
    }

    private static int before(int value) {
        int count = 0;
        for (int other = 0; other < value; other++) {
            count += printable(other) ? 0 : 1;
        }
        return count;
    }

    private static boolean printable(int value) {
        return value >= '!' && value <= '~' || value >= 0xa1 && value <= 0xac || value >= 0xae && value <= 0xff;
    }

    int id(String control) {
        return tokens.size() - CONTROLS.size() + CONTROLS.indexOf(control);
    }
}
