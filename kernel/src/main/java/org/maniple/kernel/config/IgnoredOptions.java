package org.maniple.kernel.config;

import java.util.List;
import java.util.Optional;
import org.maniple.kernel.config.FieldSpellings.NoEffect;

/** Accepts flags that mean nothing here, with one line each, and refuses the few values of them that ask for something else. */
final class IgnoredOptions {

    private IgnoredOptions() {}

    static void check(String name, Optional<String> value, String source, NoEffect ignored, Problems problems,
            List<String> notices) {
        if (ignored.takesValue() && value.isEmpty()) {
            problems.add(source, "the flag needs a value (it has no effect here: " + ignored.reason() + ")");
        } else if (name.replace('_', '-').equals("distributed-executor-backend") && value.filter("ray"::equals).isPresent()) {
            problems.add(source, "[ray] needs a Ray launcher plugin, which is not installed; several nodes work without it:"
                    + " start maniple launch on each node with --nnodes, --node-rank and --dist-init-addr");
        } else {
            notices.add("accepted, no effect: " + source + (ignored.takesValue() ? " " + value.orElse("") : "") + " ("
                    + ignored.reason() + ")");
        }
    }
}
