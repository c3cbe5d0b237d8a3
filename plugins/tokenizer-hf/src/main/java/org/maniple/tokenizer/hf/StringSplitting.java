package org.maniple.tokenizer.hf;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code split}, {@code rsplit} and {@code partition} of Python's strings. */
final class StringSplitting {
    private StringSplitting() {}

    static List<@Nullable Object> split(String text, CallArguments arguments, boolean fromEnd, RenderBudget budget) {
        var given = arguments.bind("sep", "maxsplit");
        var separator = given.optionalText("sep");
        long most = given.integer("maxsplit").orElse(-1);
        if (separator != null && separator.isEmpty()) {
            throw TemplateException.failed("empty separator");
        }
        var parts = new ArrayList<@Nullable Object>();
        if (fromEnd) {
            fromEnd(text, separator, most, parts);
            Collections.reverse(parts);
        } else {
            fromStart(text, separator, most, parts);
        }
        budget.list(parts.size());
        return parts;
    }

    private static void fromStart(String text, @Nullable String separator, long most, List<@Nullable Object> parts) {
        var rest = separator == null ? PythonStrings.stripStart(text) : text;
        int start = 0;
        for (long left = most; left != 0; left--) {
            int at = separator == null ? nextSpace(rest, start) : rest.indexOf(separator, start);
            if (at < 0) {
                break;
            }
            parts.add(rest.substring(start, at));
            start = separator == null ? afterSpace(rest, at) : at + separator.length();
        }
        if (separator != null || start < rest.length()) {
            var last = rest.substring(start);
            parts.add(separator == null && most < 0 ? PythonStrings.stripEnd(last) : last);
        }
    }

    private static int nextSpace(String text, int from) {
        for (int i = from; i < text.length(); i++) {
            if (PythonStrings.isSpace(text.charAt(i))) {
                return i;
            }
        }
        return -1;
    }

    private static int afterSpace(String text, int from) {
        int i = from;
        while (i < text.length() && PythonStrings.isSpace(text.charAt(i))) {
            i++;
        }
        return i;
    }

    private static void fromEnd(String text, @Nullable String separator, long most, List<@Nullable Object> parts) {
        var rest = separator == null ? PythonStrings.stripEnd(text) : text;
        int end = rest.length();
        for (long left = most; left != 0; left--) {
            int at = separator == null ? lastSpace(rest, end) : rest.lastIndexOf(separator, end - separator.length());
            if (at < 0 || separator != null && end < separator.length()) {
                break;
            }
            parts.add(rest.substring(separator == null ? at + 1 : at + separator.length(), end));
            end = separator == null ? PythonStrings.stripEnd(rest.substring(0, at)).length() : at;
        }
        if (separator != null || end > 0) {
            parts.add(rest.substring(0, end));
        }
    }

    private static int lastSpace(String text, int end) {
        for (int i = end - 1; i >= 0; i--) {
            if (PythonStrings.isSpace(text.charAt(i))) {
                return i;
            }
        }
        return -1;
    }

    static TemplateObject.Tuple partition(String text, String separator, boolean last) {
        if (separator.isEmpty()) {
            throw TemplateException.failed("empty separator");
        }
        int at = last ? text.lastIndexOf(separator) : text.indexOf(separator);
        if (at < 0) {
            return new TemplateObject.Tuple(last ? List.of("", "", text) : List.of(text, "", ""));
        }
        return new TemplateObject.Tuple(List.of(text.substring(0, at), separator, text.substring(at + separator.length())));
    }
}
