package org.maniple.checkpoint.gguf;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Writes JSON. A library that does that, too, would have to be loaded in every start for the little that is written in most of them. Who writes says where
 * objects and arrays begin and end. Not safe for use by several threads.
 */
final class JsonOutput {

    private static final String HEX = "0123456789abcdef";

    private final StringBuilder text = new StringBuilder();
    /** Whether something of the same object or array has been written before. */
    private boolean follows;

    private JsonOutput() {}

    /** What somebody writes, in UTF-8. */
    static byte[] of(Consumer<JsonOutput> writing) {
        var json = new JsonOutput();
        writing.accept(json);
        return json.text.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** What becomes of a value: see {@link #value}. */
    static byte[] of(@Nullable Object value) {
        return of(json -> json.value(value));
    }

    void beginObject() {
        begin('{');
    }

    void endObject() {
        end('}');
    }

    void beginArray() {
        begin('[');
    }

    void endArray() {
        end(']');
    }

    /** The name of what is written next. */
    void name(String name) {
        separate();
        quoted(name);
        text.append(':');
        follows = false;
    }

    /** Texts, numbers, truth values, lists, maps, and nothing. Numbers that JSON has no words for are texts. */
    void value(@Nullable Object value) {
        switch (value) {
            case null -> plain("null");
            case String string -> {
                separate();
                quoted(string);
            }
            case Double number when !Double.isFinite(number) -> value(number.toString());
            case Boolean flag -> plain(flag.toString());
            case Number number -> plain(number.toString());
            case List<?> list -> {
                beginArray();
                for (Object element : list) {
                    value(element);
                }
                endArray();
            }
            case Map<?, ?> map -> {
                beginObject();
                for (Map.Entry<?, ?> entry : map.entrySet()) {
                    name(String.valueOf(entry.getKey()));
                    value(entry.getValue());
                }
                endObject();
            }
            default -> throw new IllegalArgumentException(value.getClass() + " is not written as JSON");
        }
    }

    private void begin(char bracket) {
        separate();
        text.append(bracket);
        follows = false;
    }

    private void end(char bracket) {
        text.append(bracket);
        follows = true;
    }

    private void plain(String word) {
        separate();
        text.append(word);
    }

    private void separate() {
        if (follows) {
            text.append(',');
        }
        follows = true;
    }

    private void quoted(String string) {
        text.append('"');
        for (int i = 0; i < string.length(); i++) {
            char c = string.charAt(i);
            if (c == '"' || c == '\\') {
                text.append('\\').append(c);
            } else if (c < ' ') {
                text.append("\\u00").append(HEX.charAt(c >> 4)).append(HEX.charAt(c & 15));
            } else {
                text.append(c);
            }
        }
        text.append('"');
    }
}
