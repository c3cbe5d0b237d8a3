package org.maniple.serve.openai;

import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JsonGenerator;

/**
 * A piece of a trace.
 *
 * @param traceId of the trace
 * @param id its own
 * @param parentId of what it is a part of
 * @param kind 2: what a server does for a client; 1: a part of that
 * @param beginNanos since 1970
 * @param endNanos since 1970
 * @param attributes texts, whole numbers ({@link Integer} or {@link Long}) and {@link Double}s by name
 * @param failed whether it ended with an error
 */
record Span(String traceId, String id, Optional<String> parentId, String name, int kind, long beginNanos, long endNanos,
        Map<String, Object> attributes, boolean failed) {

    static final int SERVER = 2;
    static final int INTERNAL = 1;
    private static final int ERROR = 2;

    /** Writes it as OTLP in JSON has it: ids in hexadecimal digits, 64-bit numbers as texts. */
    void write(JsonGenerator json) {
        json.writeStartObject();
        json.writeStringProperty("traceId", traceId);
        json.writeStringProperty("spanId", id);
        parentId.ifPresent(parent -> json.writeStringProperty("parentSpanId", parent));
        json.writeStringProperty("name", name);
        json.writeNumberProperty("kind", kind);
        json.writeStringProperty("startTimeUnixNano", Long.toString(beginNanos));
        json.writeStringProperty("endTimeUnixNano", Long.toString(endNanos));
        json.writeArrayPropertyStart("attributes");
        attributes.forEach((key, value) -> attribute(json, key, value));
        json.writeEndArray();
        json.writeObjectPropertyStart("status");
        if (failed) {
            json.writeNumberProperty("code", ERROR);
        }
        json.writeEndObject();
        json.writeEndObject();
    }

    static void attribute(JsonGenerator json, String key, Object value) {
        json.writeStartObject();
        json.writeStringProperty("key", key);
        json.writeObjectPropertyStart("value");
        switch (value) {
            case Integer number -> json.writeStringProperty("intValue", number.toString());
            case Long number -> json.writeStringProperty("intValue", number.toString());
            case Double number -> json.writeNumberProperty("doubleValue", number);
            default -> json.writeStringProperty("stringValue", value.toString());
        }
        json.writeEndObject();
        json.writeEndObject();
    }
}
