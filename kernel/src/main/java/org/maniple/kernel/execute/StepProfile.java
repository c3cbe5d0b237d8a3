package org.maniple.kernel.execute;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Where the time of steps goes: for each kind of kernel, that is what it makes in any layer, the sum of its times; and what lies between two steps.
 * For use by the rank's own thread.
 */
public final class StepProfile {

    private final Map<String, Integer> slots = new LinkedHashMap<>();
    private final List<Long> nanos = new ArrayList<>();
    private long steps;
    private long inside;
    private long between;
    private long lastEnd;

    /** For a rank's executor. */
    StepProfile() {}

    /** The place of a kind; names that differ in numbers alone are of one kind. */
    int slot(String made) {
        return slots.computeIfAbsent(made.replaceAll("\\d+", "*"), name -> {
            nanos.add(0L);
            return nanos.size() - 1;
        });
    }

    void add(int slot, long time) {
        nanos.set(slot, nanos.get(slot) + time);
    }

    void step(long begin, long end) {
        if (lastEnd != 0) {
            between += begin - lastEnd;
        }
        lastEnd = end;
        inside += end - begin;
        steps++;
    }

    /**
     * What was measured since the last call of this method.
     *
     * @return a line for each kind with the time per step, the longest first
     */
    public List<String> take() {
        var lines = new ArrayList<String>();
        if (steps > 0) {
            lines.add(line("steps: " + steps + ", each", inside));
            lines.add(line("between steps", between));
            slots.entrySet().stream().sorted(Comparator.comparingLong(entry -> -nanos.get(entry.getValue())))
                    .forEach(entry -> lines.add(line(entry.getKey(), nanos.get(entry.getValue()))));
        }
        nanos.replaceAll(time -> 0L);
        steps = 0;
        inside = 0;
        between = 0;
        lastEnd = 0;
        return List.copyOf(lines);
    }

    private String line(String name, long time) {
        return String.format(Locale.ROOT, "profile: %9.1f µs %5.1f %%  %s", time / 1e3 / steps,
                100.0 * time / Math.max(1, inside), name);
    }
}
