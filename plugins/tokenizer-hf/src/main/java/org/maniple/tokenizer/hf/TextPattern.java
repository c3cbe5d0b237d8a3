package org.maniple.tokenizer.hf;

import java.util.function.IntPredicate;
import java.util.regex.Pattern;

/** Finds the matches of a literal, a regex or a character test in a text, from left to right and without overlap. */
interface TextPattern {

    /** Receives one match; {@code start == end} is an empty one. */
    interface Found {
        void match(int start, int end);
    }

    void find(String text, Found found);

    static TextPattern literal(String literal) {
        return (text, found) -> {
            if (literal.isEmpty()) {
                return;
            }
            for (int at = text.indexOf(literal); at >= 0; at = text.indexOf(literal, at + literal.length())) {
                found.match(at, at + literal.length());
            }
        };
    }

    static TextPattern regex(Pattern pattern) {
        return (text, found) -> {
            var matcher = pattern.matcher(new BoundedText(text));
            try {
                while (matcher.find()) {
                    found.match(matcher.start(), matcher.end());
                }
            } catch (StackOverflowError e) {
                // java.util.regex recurses over repeated groups; a long text can exhaust the stack with a regex of the model's choice
                throw new TextLimitException(
                        "a regex of the tokenizer needs too much stack on a text of " + text.length() + " characters");
            }
        };
    }

    /** Every character that passes is a match of its own. */
    static TextPattern each(IntPredicate test) {
        return (text, found) -> {
            for (int at = 0; at < text.length();) {
                int point = text.codePointAt(at);
                int end = at + Character.charCount(point);
                if (test.test(point)) {
                    found.match(at, end);
                }
                at = end;
            }
        };
    }

    /** Reads {@code {"String": …}} or {@code {"Regex": …}}. */
    static TextPattern read(JsonField field) {
        if (field.isString()) {
            return literal(field.string());
        }
        var literal = field.optional("String");
        if (literal.isPresent()) {
            return literal(literal.get().string());
        }
        return regex(OnigurumaRegex.compile(field.required("Regex")));
    }
}
