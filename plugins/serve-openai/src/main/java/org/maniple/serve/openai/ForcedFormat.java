package org.maniple.serve.openai;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The calls of an answer that must consist of them, whatever the model's own format is: a list of objects with {@code name} and
 * {@code parameters}. An answer can only be so if it is constrained by {@link #schema}.
 *
 * @param parallel whether there may be more than one call
 */
record ForcedFormat(boolean parallel) implements ToolCallFormat {

    private static final String DEFINITIONS = "$defs";

    @Override
    public List<String> marks() {
        return List.of();
    }

    @Override
    public Optional<Map<String, @Nullable Object>> schema(List<Tool> tools) {
        Map<String, Object> definitions = new LinkedHashMap<>();
        List<Map<String, Object>> calls = tools.stream().map(tool -> call(tool, definitions)).toList();
        Map<String, @Nullable Object> schema = new LinkedHashMap<>();
        schema.put("type", "array");
        schema.put("minItems", 1);
        if (!parallel) {
            schema.put("maxItems", 1);
        }
        schema.put("items", Map.of("anyOf", calls));
        if (!definitions.isEmpty()) {
            schema.put(DEFINITIONS, definitions);
        }
        return Optional.of(schema);
    }

    /** Definitions go to the top, since references to them begin there. */
    private static Map<String, Object> call(Tool tool, Map<String, Object> definitions) {
        Map<String, @Nullable Object> parameters = new LinkedHashMap<>(tool.parameters());
        if (parameters.remove(DEFINITIONS) instanceof Map<?, ?> own) {
            own.forEach((name, definition) -> {
                Object other = definitions.putIfAbsent(String.valueOf(name), definition);
                if (other != null && !other.equals(definition)) {
                    throw ApiException.invalid("tools", "The definition `" + ApiException.shown(name)
                            + "` has two meanings in `tools`; give one of them another name.");
                }
            });
        }
        parameters.putIfAbsent("type", "object");
        Map<String, Object> properties = new LinkedHashMap<>();
        properties.put("name", Map.of("const", tool.name()));
        properties.put("parameters", parameters);
        Map<String, Object> call = new LinkedHashMap<>();
        call.put("type", "object");
        call.put("properties", properties);
        call.put("required", List.of("name", "parameters"));
        call.put("additionalProperties", false);
        return call;
    }

    @Override
    public CallReader open(List<Tool> tools, CallSink sink) {
        return new Reader(tools, sink);
    }

    private static final class Reader implements CallReader {

        private enum At {
            START, BETWEEN, OBJECT, CONTENT
        }

        private final List<Tool> tools;
        private final CallSink sink;
        private CallObject object;
        private At at = At.START;

        Reader(List<Tool> tools, CallSink sink) {
            this.tools = tools;
            this.sink = sink;
            this.object = next();
        }

        @Override
        public void take(char c) {
            switch (at) {
                case START -> {
                    if (c == '[') {
                        at = At.BETWEEN;
                    } else if (!CallObject.isSpace(c)) {
                        content(String.valueOf(c));
                    }
                }
                case BETWEEN -> {
                    if (c == '{') {
                        object = next();
                        at = At.OBJECT;
                        inObject(c);
                    } else if (c != ',' && c != ']' && !CallObject.isSpace(c)) {
                        content(String.valueOf(c));
                    }
                }
                case OBJECT -> inObject(c);
                case CONTENT -> sink.content(String.valueOf(c));
            }
        }

        @Override
        public void finish() {
            if (at == At.OBJECT && !object.isCall()) {
                sink.content(object.text());
            }
        }

        private void inObject(char c) {
            switch (object.take(c)) {
                case OPEN -> {
                }
                case DONE -> at = At.BETWEEN;
                case NONE -> content(object.text());
                case CUT -> content(String.valueOf(c));
            }
        }

        private void content(String text) {
            at = At.CONTENT;
            sink.content(text);
        }

        private CallObject next() {
            return new CallObject(sink, name -> tools.stream().anyMatch(tool -> tool.name().equals(name)), true);
        }
    }
}
