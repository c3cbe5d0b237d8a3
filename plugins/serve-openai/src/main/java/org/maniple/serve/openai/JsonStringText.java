package org.maniple.serve.openai;

/** Decodes the inside of a JSON string as it comes. Half a surrogate pair waits for its other half. */
final class JsonStringText {

    private static final int HEX_DIGITS = 4;

    private final StringBuilder escape = new StringBuilder();
    private char high;

    /**
     * Takes a character after the opening quotation mark.
     *
     * @param out gets what it adds to the text
     * @return whether the string ended with it
     */
    boolean take(char c, StringBuilder out) {
        if (escape.isEmpty()) {
            if (c == '"') {
                dropHalf(out);
                return true;
            }
            if (c == '\\') {
                escape.append(c);
            } else {
                dropHalf(out);
                out.append(c);
            }
            return false;
        }
        escape.append(c);
        if (escape.charAt(1) != 'u') {
            dropHalf(out);
            out.append(simple(c));
            escape.setLength(0);
        } else if (escape.length() == 2 + HEX_DIGITS) {
            unicode(out);
            escape.setLength(0);
        }
        return false;
    }

    private void unicode(StringBuilder out) {
        String digits = escape.substring(2);
        boolean valid = digits.chars().allMatch(d -> Character.digit(d, 16) >= 0);
        char unit = valid ? (char) Integer.parseInt(digits, 16) : '\uFFFD';
        if (Character.isLowSurrogate(unit)) {
            if (high == 0) {
                out.append('\uFFFD');
            } else {
                out.append(high).append(unit);
                high = 0;
            }
            return;
        }
        dropHalf(out);
        if (Character.isHighSurrogate(unit)) {
            high = unit;
        } else {
            out.append(unit);
        }
    }

    private void dropHalf(StringBuilder out) {
        if (high != 0) {
            out.append('\uFFFD');
            high = 0;
        }
    }

    private static char simple(char c) {
        return switch (c) {
            case 'n' -> '\n';
            case 't' -> '\t';
            case 'r' -> '\r';
            case 'b' -> '\b';
            case 'f' -> '\f';
            default -> c;
        };
    }
}
