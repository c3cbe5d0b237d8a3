package org.maniple.serve.openai;

/**
 * Finds the end of a JSON value as it comes, without judging what is in it. Control characters inside of strings, which some models
 * write as they are, are escaped.
 */
final class JsonSpan {

    /** What a character is to the value. */
    enum Place {
        /** A part of it; more follows. */
        INSIDE,
        /** Its last character. */
        LAST,
        /** No part of it: the value has ended before. */
        AFTER
    }

    private int depth;
    private boolean string;
    private boolean escaped;

    /**
     * Takes a character, the first one being the first of the value.
     *
     * @param out gets the character if it is a part of the value
     */
    Place take(char c, StringBuilder out) {
        if (string) {
            inString(c, out);
            return !string && depth == 0 ? Place.LAST : Place.INSIDE;
        }
        switch (c) {
            case '"' -> string = true;
            case '{', '[' -> depth++;
            case '}', ']' -> {
                if (depth == 0) {
                    return Place.AFTER;
                }
                depth--;
                out.append(c);
                return depth == 0 ? Place.LAST : Place.INSIDE;
            }
            default -> {
                if (!(depth > 0 ? between(c) : scalar(c))) {
                    return Place.AFTER;
                }
            }
        }
        out.append(c);
        return Place.INSIDE;
    }

    private void inString(char c, StringBuilder out) {
        if (c < ' ') {
            escapeControl(c, out);
            escaped = false;
            return;
        }
        out.append(c);
        if (escaped) {
            escaped = false;
        } else if (c == '\\') {
            escaped = true;
        } else if (c == '"') {
            string = false;
        }
    }

    /** Writes a character that may not be in a string as it is. */
    static void escapeControl(char c, StringBuilder out) {
        switch (c) {
            case '\n' -> out.append("\\n");
            case '\t' -> out.append("\\t");
            case '\r' -> out.append("\\r");
            default -> out.append(String.format("\\u%04x", (int) c));
        }
    }

    private static boolean between(char c) {
        return scalar(c) || c == ',' || c == ':' || c == ' ' || c == '\n' || c == '\t' || c == '\r';
    }

    private static boolean scalar(char c) {
        return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '+' || c == '.'
                || c == '_';
    }
}
