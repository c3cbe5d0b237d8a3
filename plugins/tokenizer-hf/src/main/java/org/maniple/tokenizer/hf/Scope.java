package org.maniple.tokenizer.hf;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Names and their values; a name that is not here may be in the scope around. Every turn of a loop has one, so the first few names are kept
 * in arrays and only more of them in a map.
 */
final class Scope {
    private static final int FEW = 8;

    private final @Nullable Scope around;
    private @Nullable String[] names = new String[2];
    private @Nullable Object[] values = new Object[2];
    private int size;
    private @Nullable Map<String, @Nullable Object> more;

    Scope(@Nullable Scope around) {
        this.around = around;
    }

    void set(String name, @Nullable Object value) {
        int at = find(name);
        if (at >= 0) {
            values[at] = value;
        } else if (size < FEW) {
            if (size == names.length) {
                names = Arrays.copyOf(names, FEW);
                values = Arrays.copyOf(values, FEW);
            }
            names[size] = name;
            values[size++] = value;
        } else {
            if (more == null) {
                more = new HashMap<>();
            }
            more.put(name, value);
        }
    }

    private int find(String name) {
        for (int i = 0; i < size; i++) {
            if (name.equals(names[i])) {
                return i;
            }
        }
        return -1;
    }

    /** The value, or an Undefined. */
    @Nullable
    Object get(String name) {
        for (var scope = this; scope != null; scope = scope.around) {
            int at = scope.find(name);
            if (at >= 0) {
                return scope.values[at];
            }
            if (scope.more != null && scope.more.containsKey(name)) {
                return scope.more.get(name);
            }
        }
        return new TemplateObject.Undefined(name);
    }
}
