package org.maniple.tokenizer.hf;

import java.util.function.IntPredicate;

/** Strings as Python sees them: sequences of code points, with its idea of white space. */
final class PythonStrings {
    private PythonStrings() {}

    static boolean isSpace(int point) {
        return PreTokenizerReader.isSpace(point) || point >= 0x1C && point <= 0x1F;
    }

    static String strip(String text) {
        return stripStart(stripEnd(text));
    }

    static String stripStart(String text) {
        return stripStart(text, PythonStrings::isSpace);
    }

    static String stripEnd(String text) {
        return stripEnd(text, PythonStrings::isSpace);
    }

    static String stripStart(String text, IntPredicate strips) {
        int start = 0;
        while (start < text.length() && strips.test(text.codePointAt(start))) {
            start += Character.charCount(text.codePointAt(start));
        }
        return text.substring(start);
    }

    static String stripEnd(String text, IntPredicate strips) {
        int end = text.length();
        while (end > 0 && strips.test(text.codePointBefore(end))) {
            end -= Character.charCount(text.codePointBefore(end));
        }
        return text.substring(0, end);
    }

    static int length(String text) {
        return text.codePointCount(0, text.length());
    }

    /** The character with this index, which must be there. */
    static String charAt(String text, int index) {
        int at = text.offsetByCodePoints(0, index);
        return text.substring(at, at + Character.charCount(text.codePointAt(at)));
    }

    /** The first {@code count} characters. */
    static String head(String text, int count) {
        return count >= text.length() || count >= length(text)
                ? text
                : text.substring(0, text.offsetByCodePoints(0, Math.max(0, count)));
    }

    static int compare(String left, String right) {
        for (int i = 0; i < Math.min(left.length(), right.length()); i++) {
            char a = left.charAt(i);
            char b = right.charAt(i);
            if (a != b) {
                boolean surrogates = Character.isSurrogate(a) != Character.isSurrogate(b);
                return surrogates ? Boolean.compare(Character.isSurrogate(a), Character.isSurrogate(b)) : Character.compare(a, b);
            }
        }
        return Integer.compare(left.length(), right.length());
    }

    /** First letter of every word (after {@code startsWord}) in capitals, all others small. */
    static String title(String text, IntPredicate startsWord) {
        var out = new StringBuilder(text.length());
        boolean start = true;
        for (int i = 0; i < text.length();) {
            int point = text.codePointAt(i);
            out.append(start ? Character.toString(Character.toTitleCase(point)) : lower(Character.toString(point)));
            start = startsWord.test(point);
            i += Character.charCount(point);
        }
        return out.toString();
    }

    static String capitalize(String text) {
        if (text.isEmpty()) {
            return text;
        }
        int first = Character.charCount(text.codePointAt(0));
        return Character.toString(Character.toTitleCase(text.codePointAt(0))) + lower(text.substring(first));
    }

    static String upper(String text) {
        return text.toUpperCase(java.util.Locale.ROOT);
    }

    static String lower(String text) {
        return text.toLowerCase(java.util.Locale.ROOT);
    }
}
