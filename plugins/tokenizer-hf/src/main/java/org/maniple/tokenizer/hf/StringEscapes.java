package org.maniple.tokenizer.hf;

/** The escapes of string literals: Python's. An escape that Python does not know stays as it is. */
final class StringEscapes {
    private StringEscapes() {}

    static String resolve(String body, int line) {
        if (body.indexOf('\\') < 0) {
            return body;
        }
        var out = new StringBuilder(body.length());
        int at = 0;
        while (at < body.length()) {
            char c = body.charAt(at);
            if (c == '\\' && at + 1 < body.length()) {
                at = escape(body, at + 1, out, line);
            } else {
                out.append(c);
                at++;
            }
        }
        return out.toString();
    }

    private static int escape(String body, int at, StringBuilder out, int line) {
        char c = body.charAt(at);
        switch (c) {
            case '\n' -> {
                return at + 1;
            }
            case 'n' -> out.append('\n');
            case 't' -> out.append('\t');
            case 'r' -> out.append('\r');
            case 'b' -> out.append('\b');
            case 'f' -> out.append('\f');
            case 'a' -> out.append('\u0007');
            case 'v' -> out.append('\u000B');
            case '\\', '\'', '"' -> out.append(c);
            case 'x' -> {
                return hexadecimal(body, at + 1, 2, out, line);
            }
            case 'u' -> {
                return hexadecimal(body, at + 1, 4, out, line);
            }
            case 'U' -> {
                return hexadecimal(body, at + 1, 8, out, line);
            }
            case 'N' -> throw TemplateException.syntax(line, "characters by name (\\N) are not supported");
            default -> {
                return c >= '0' && c <= '7' ? octal(body, at, out) : unknown(c, at, out);
            }
        }
        return at + 1;
    }

    private static int unknown(char c, int at, StringBuilder out) {
        out.append('\\').append(c);
        return at + 1;
    }

    private static int octal(String body, int at, StringBuilder out) {
        int value = 0;
        int end = at;
        while (end < body.length() && end < at + 3 && body.charAt(end) >= '0' && body.charAt(end) <= '7') {
            value = value * 8 + body.charAt(end++) - '0';
        }
        out.append((char) value);
        return end;
    }

    private static int hexadecimal(String body, int at, int digits, StringBuilder out, int line) {
        long value = at + digits <= body.length() ? 0 : -1;
        for (int i = at; value >= 0 && i < at + digits; i++) {
            int digit = Character.digit(body.charAt(i), 16);
            value = digit < 0 ? -1 : value << 4 | digit;
        }
        if (value < 0 || value > Character.MAX_CODE_POINT) {
            throw TemplateException.syntax(line, "a string has a truncated or impossible \\x, \\u or \\U escape");
        }
        out.appendCodePoint((int) value);
        return at + digits;
    }
}
