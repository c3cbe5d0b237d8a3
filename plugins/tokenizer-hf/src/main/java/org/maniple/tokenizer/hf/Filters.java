package org.maniple.tokenizer.hf;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** The filters a template can name: Jinja's, without those for web pages. */
final class Filters {
    private static final Map<String, Filter> ALL = all();

    private Filters() {}

    private static Map<String, Filter> all() {
        var all = new HashMap<String, Filter>();
        all.putAll(TextFilters.ALL);
        all.putAll(SequenceFilters.ALL);
        all.putAll(SelectionFilters.ALL);
        all.putAll(ValueFilters.ALL);
        return Map.copyOf(all);
    }

    static Optional<Filter> find(String name) {
        return Optional.ofNullable(ALL.get(name));
    }
}
