package org.maniple.kernel.config;

import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;

/** A JSON object of plain values, as it is written in a flag. */
final class JsonEntries {

    private static final JsonFactory FACTORY = JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

    private JsonEntries() {}

    /**
     * Reads an object.
     *
     * @return name to value as text
     * @throws IllegalArgumentException if it is none, or a value is neither a text nor a number nor a truth value
     */
    static SortedMap<String, String> parse(String text) {
        var entries = new TreeMap<String, String>();
        try (JsonParser json = FACTORY.createParser(ObjectReadContext.empty(), text)) {
            boolean object = json.nextToken() == JsonToken.START_OBJECT;
            while (object && json.nextToken() == JsonToken.PROPERTY_NAME) {
                String name = json.currentName();
                if (!json.nextToken().isScalarValue() || json.currentToken() == JsonToken.VALUE_NULL) {
                    throw new IllegalArgumentException("[" + name + "] is no plain value; give a text or a number");
                }
                entries.put(name, json.getString());
            }
            if (object && json.nextToken() == null) {
                return entries;
            }
        } catch (JacksonException broken) {
            throw new IllegalArgumentException("[" + text + "] is no JSON object: " + broken.getOriginalMessage(), broken);
        }
        throw new IllegalArgumentException("[" + text + "] is no JSON object such as {\"name\": 1, \"other\": \"text\"}");
    }

    /** Writes what {@link #parse} reads. */
    static String text(Map<?, ?> entries) {
        return entries.entrySet().stream().map(entry -> "\"" + entry.getKey() + "\": " + value(String.valueOf(entry.getValue())))
                .collect(Collectors.joining(", ", "{", "}"));
    }

    private static String value(String text) {
        boolean plain = text.matches("-?(0|[1-9]\\d*)(\\.\\d+)?|true|false");
        return plain ? text : "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }
}
