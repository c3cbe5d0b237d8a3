package org.maniple.kernel.boot;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Lines of something that is made in the background: they are kept until their place in the report has come. Safe for use by several threads. */
final class LateLines implements Consumer<String> {

    private final Consumer<String> target;
    private final List<String> kept = new ArrayList<>();
    private boolean open;

    LateLines(Consumer<String> target) {
        this.target = target;
    }

    @Override
    public synchronized void accept(String line) {
        if (open) {
            target.accept(line);
        } else {
            kept.add(line);
        }
    }

    /** Passes on what has been kept, and from now on every line at once. */
    synchronized void open() {
        open = true;
        kept.forEach(target);
        kept.clear();
    }
}
