package org.maniple.kernel.config;

import java.util.List;

/** A value in a configuration file, with the line it is in. */
sealed interface YamlNode {

    int line();

    /** What a scalar is if it is not quoted. */
    enum Kind {
        TEXT, WHOLE, NUMBER, TRUTH, NOTHING
    }

    record Scalar(int line, Kind kind, String text) implements YamlNode {}

    record Sequence(int line, List<YamlNode> items) implements YamlNode {}

    record Mapping(int line, List<Entry> entries) implements YamlNode {}

    record Entry(String key, int line, YamlNode value) {}
}
