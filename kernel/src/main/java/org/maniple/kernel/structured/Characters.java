package org.maniple.kernel.structured;

/** Reads a text character by character, for parsers whose messages say where they are. */
final class Characters {

    static final int END = -1;

    private final int[] text;
    private int at;

    Characters(String text) {
        this.text = text.codePoints().toArray();
        for (int c : this.text) {
            if (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) {
                throw new ConstraintException("it has half a surrogate pair");
            }
        }
    }

    int peek() {
        return peek(0);
    }

    int peek(int ahead) {
        return at + ahead < text.length ? text[at + ahead] : END;
    }

    int take() {
        return at < text.length ? text[at++] : END;
    }

    boolean take(String expected) {
        if (!comes(expected)) {
            return false;
        }
        at += expected.length();
        return true;
    }

    boolean comes(String expected) {
        for (int i = 0; i < expected.length(); i++) {
            if (peek(i) != expected.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    int position() {
        return at;
    }

    void back(int position) {
        at = position;
    }

    boolean atEnd() {
        return at == text.length;
    }

    /** Reads so many hexadecimal digits. */
    int hex(int digits) {
        int value = 0;
        for (int i = 0; i < digits; i++) {
            int digit = Character.digit(peek(), 16);
            if (digit < 0 || peek() > 0x7F) {
                throw problem("an escape needs " + digits + " hexadecimal digits");
            }
            value = value * 16 + digit;
            at++;
        }
        return checked(value);
    }

    /** A character that an escape stands for; half a surrogate pair is left to the caller. */
    int checked(int character) {
        if (character < 0 || character > Character.MAX_CODE_POINT) {
            throw problem("an escape stands for no character");
        }
        return character;
    }

    /** A decimal number that is not too large, or -1 if there is none. */
    int number() {
        int value = -1;
        while (peek() >= '0' && peek() <= '9') {
            value = Math.max(value, 0) * 10 + take() - '0';
            if (value > 1_000_000) {
                throw problem("a number of repetitions is larger than 1000000");
            }
        }
        return value;
    }

    ConstraintException problem(String message) {
        return new ConstraintException(message + " (at character " + at + ")");
    }
}
