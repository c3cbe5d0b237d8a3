package org.maniple.kernel.structured;

import java.util.ArrayList;
import java.util.List;

/** How a character stands in the output: as it is, or as inside of a JSON string. */
enum CharacterForm {

    /** As it is. */
    PLAIN {
        @Override
        Expression oneOf(CodePoints characters) {
            return new Expression.OneOf(characters);
        }
    },

    /** As inside of a JSON string, where some characters are escaped; those that need not be are not. */
    JSON {
        @Override
        Expression oneOf(CodePoints characters) {
            CodePoints escaped = characters.and(ESCAPED);
            var plain = new Expression.OneOf(characters.minus(ESCAPED));
            if (escaped.isEmpty()) {
                return plain;
            }
            List<String> words = new ArrayList<>();
            for (int range = 0; range < escaped.ranges(); range++) {
                for (int c = escaped.first(range); c <= escaped.last(range); c++) {
                    words.add(escape(c));
                }
            }
            return Expression.either(plain, new Expression.Words(words));
        }
    };

    /** The characters that cannot stand in a JSON string as they are. */
    static final CodePoints ESCAPED = CodePoints.range(0, 0x1F).or(CodePoints.of("\"\\"));

    private static final String SHORT = "\"\\\b\f\n\r\t";
    private static final String SHORT_LETTERS = "\"\\bfnrt";

    /** One character of a set. */
    abstract Expression oneOf(CodePoints characters);

    /** A JSON string, with its quotes, in the only way that this engine writes it. */
    static String quoted(String text) {
        var out = new StringBuilder(text.length() + 2).append('"');
        text.codePoints().forEach(c -> {
            if (ESCAPED.contains(c)) {
                out.append(escape(c));
            } else {
                out.appendCodePoint(c);
            }
        });
        return out.append('"').toString();
    }

    private static String escape(int character) {
        int known = SHORT.indexOf(character);
        return known >= 0 ? "\\" + SHORT_LETTERS.charAt(known) : "\\u%04x".formatted(character);
    }
}
