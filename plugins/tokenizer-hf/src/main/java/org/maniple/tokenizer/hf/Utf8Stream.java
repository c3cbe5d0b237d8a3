package org.maniple.tokenizer.hf;

/**
 * Decodes UTF-8 that arrives in parts. A character is given out when its last byte is there; what can no longer become a character turns
 * into U+FFFD, one per maximal subpart (Unicode 16, section 3.9, "U+FFFD Substitution of Maximal Subparts").
 */
final class Utf8Stream {
    static final char REPLACEMENT = '\uFFFD';

    private int point;
    private int needed;
    private int lowest = 0x80;
    private int highest = 0xBF;

    void decode(byte[] bytes, StringBuilder out) {
        for (byte b : bytes) {
            decode(b & 0xFF, out);
        }
    }

    /** Gives out what is still waiting, as U+FFFD. */
    void finish(StringBuilder out) {
        if (needed > 0) {
            out.append(REPLACEMENT);
            needed = 0;
        }
    }

    /** Whether the bytes so far end inside a character. */
    boolean waiting() {
        return needed > 0;
    }

    /** Takes one byte; false where the bytes so far turned out not to be UTF-8. */
    boolean decode(int b, StringBuilder out) {
        if (needed == 0) {
            return begin(b, out);
        }
        if (b < lowest || b > highest) {
            out.append(REPLACEMENT);
            needed = 0;
            begin(b, out);
            return false;
        }
        point = point << 6 | b & 0x3F;
        lowest = 0x80;
        highest = 0xBF;
        if (--needed == 0) {
            out.appendCodePoint(point);
        }
        return true;
    }

    private boolean begin(int b, StringBuilder out) {
        lowest = b == 0xE0 ? 0xA0 : b == 0xF0 ? 0x90 : 0x80;
        highest = b == 0xED ? 0x9F : b == 0xF4 ? 0x8F : 0xBF;
        if (b < 0x80) {
            out.append((char) b);
        } else if (b >= 0xC2 && b <= 0xDF) {
            expect(1, b & 0x1F);
        } else if (b >= 0xE0 && b <= 0xEF) {
            expect(2, b & 0x0F);
        } else if (b >= 0xF0 && b <= 0xF4) {
            expect(3, b & 0x07);
        } else {
            out.append(REPLACEMENT);
            return false;
        }
        return true;
    }

    private void expect(int more, int bits) {
        needed = more;
        point = bits;
    }
}
