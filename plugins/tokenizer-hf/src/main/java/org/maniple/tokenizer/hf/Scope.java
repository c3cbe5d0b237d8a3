package org.maniple.tokenizer.hf;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Names and their values; a name that is not here may be in the scope around. */
final class Scope {
    private final @Nullable Scope around;
    private final Map<String, @Nullable Object> values = new HashMap<>();

    Scope(@Nullable Scope around) {
        this.around = around;
    }

    void set(String name, @Nullable Object value) {
        values.put(name, value);
    }

    /** The value, or an Undefined. */
    @Nullable Object get(String name) {
        for (var scope = this; scope != null; scope = scope.around) {
            if (scope.values.containsKey(name)) {
                return scope.values.get(name);
            }
        }
        return new TemplateObject.Undefined(name);
    }
}
