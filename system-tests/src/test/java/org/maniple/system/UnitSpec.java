package org.maniple.system;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a unit is started with.
 *
 * @param keys the lines of its YAML file
 * @param flags that follow the file on the command line
 */
record UnitSpec(Map<String, String> keys, List<String> flags) {

    UnitSpec {
        keys = new LinkedHashMap<>(keys);
        flags = List.copyOf(flags);
    }

    /** A small unit of one rank: any free port, a small KV cache and one thread for each rank, so that it starts quickly. */
    static UnitSpec of(Object model) {
        return new UnitSpec(Map.of("model", model.toString()), List.of())
                .with("port", 0).with("kv-cache-memory-bytes", "32MiB").with("threads", 1);
    }

    UnitSpec with(String key, Object value) {
        var more = new LinkedHashMap<>(keys);
        more.put(key, value.toString());
        return new UnitSpec(more, flags);
    }

    UnitSpec with(Map<String, ?> values) {
        UnitSpec spec = this;
        for (var entry : values.entrySet()) {
            spec = spec.with(entry.getKey(), entry.getValue());
        }
        return spec;
    }

    UnitSpec flags(String... more) {
        var all = new ArrayList<>(flags);
        all.addAll(List.of(more));
        return new UnitSpec(keys, all);
    }

    String yaml() {
        var text = new StringBuilder();
        keys.forEach((key, value) -> text.append(key).append(": ").append(value).append('\n'));
        return text.toString();
    }
}
