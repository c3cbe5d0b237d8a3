package org.maniple.serve.openai;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.maniple.serve.openai.JsonSpan.Place;

/**
 * An answer that is the arguments of one call and nothing else, which it can only be if it is constrained by {@link #schema}.
 *
 * @param tool what is called
 */
record NamedFormat(Tool tool) implements ToolCallFormat {

    @Override
    public List<String> marks() {
        return List.of();
    }

    @Override
    public Optional<Map<String, @Nullable Object>> schema(List<Tool> tools) {
        Map<String, @Nullable Object> schema = new LinkedHashMap<>(tool.parameters());
        schema.putIfAbsent("type", "object");
        return Optional.of(schema);
    }

    @Override
    public CallReader open(List<Tool> tools, CallSink sink) {
        return new CallReader() {
            private final JsonSpan span = new JsonSpan();
            private final StringBuilder piece = new StringBuilder();
            private boolean begun;
            private boolean ended;

            @Override
            public void take(char c) {
                if (ended || !begun && CallObject.isSpace(c)) {
                    return;
                }
                if (!begun) {
                    begun = true;
                    sink.call(tool.name());
                }
                ended = span.take(c, piece) != Place.INSIDE;
                sink.arguments(piece);
                piece.setLength(0);
            }

            @Override
            public void finish() {
                // Arguments are passed on as they come.
            }
        };
    }
}
