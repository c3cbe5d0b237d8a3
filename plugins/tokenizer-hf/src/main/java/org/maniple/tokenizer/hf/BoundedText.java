package org.maniple.tokenizer.hf;

/**
 * A text that counts how often a regex looks at it. The regexes come with the model and the text from a user; together they could make
 * {@code java.util.regex} backtrack for hours. Ordinary patterns look at each character a few times.
 */
final class BoundedText implements CharSequence {
    private static final long LOOKS_PER_CHAR = 400;
    private static final long LOOKS_AT_LEAST = 1_000_000;

    private final String text;
    private long left;

    BoundedText(String text) {
        this.text = text;
        this.left = LOOKS_AT_LEAST + LOOKS_PER_CHAR * text.length();
    }

    @Override
    public char charAt(int index) {
        if (--left < 0) {
            throw new TextLimitException("a regex of the tokenizer takes too long on a text of " + text.length() + " characters");
        }
        return text.charAt(index);
    }

    @Override
    public int length() {
        return text.length();
    }

    @Override
    public CharSequence subSequence(int start, int end) {
        return text.substring(start, end);
    }

    @Override
    public String toString() {
        return text;
    }
}
