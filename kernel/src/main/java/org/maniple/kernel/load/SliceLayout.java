package org.maniple.kernel.load;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.TensorView.Factor;
import org.maniple.api.graph.TensorView.StoredDim;
import org.maniple.api.tensor.UnitList;

/**
 * Where the elements of a rank's slice of a parameter lie in one stored tensor: for each dimension of the slice, in its order, the
 * units, and how far apart two following ones are stored.
 */
final class SliceLayout {

    /**
     * One dimension of the slice.
     *
     * @param units the units that the slice has
     * @param from the stored element of unit 0
     * @param stored the stored extent of the factor
     * @param stride stored elements from one unit to the next
     */
    private record Level(UnitList units, int from, int stored, long stride) {
        boolean complete() {
            return from == 0 && units.size() == stored;
        }
    }

    private final List<Level> levels;
    private final long base;

    private SliceLayout(List<Level> levels, long base) {
        this.levels = levels;
        this.base = base;
    }

    /**
     * @param dims the dimensions of the slice that this stored tensor has, in the order in which the rank holds them
     * @param stored the stored dimensions
     * @param units the units of each axis
     */
    static SliceLayout of(List<Dim> dims, List<StoredDim> stored, Map<Axis, UnitList> units) {
        List<Factor> factors = stored.stream().flatMap(d -> d.factors().stream()).toList();
        long[] strides = new long[factors.size()];
        long stride = 1;
        long base = 0;
        for (int i = factors.size() - 1; i >= 0; i--) {
            strides[i] = stride;
            if (factors.get(i).axis().isEmpty()) {
                base += factors.get(i).from() * stride;
            }
            stride = Math.multiplyExact(stride, factors.get(i).extent());
        }
        var levels = new ArrayList<Level>();
        for (Dim dim : dims) {
            int index = indexOf(factors, dim.axis());
            Factor factor = factors.get(index);
            levels.add(new Level(Objects.requireNonNull(units.get(dim.axis())), factor.from(), factor.extent(), strides[index]));
        }
        return new SliceLayout(levels, base);
    }

    private static int indexOf(List<Factor> factors, Axis axis) {
        for (int i = 0; i < factors.size(); i++) {
            if (factors.get(i).axis().equals(Optional.of(axis))) {
                return i;
            }
        }
        throw new IllegalArgumentException("no stored dimension has the axis " + axis + " of the parameter: " + factors);
    }

    /** Elements of the slice. */
    long elements() {
        return levels.stream().mapToLong(l -> l.units().size()).reduce(1, Math::multiplyExact);
    }

    /** The first stored element, if all elements of the slice are stored one after the other in the slice's order; otherwise -1. */
    long contiguous() {
        long offset = base;
        int level = 0;
        while (level < levels.size() && levels.get(level).units().size() == 1 && !runs(level)) {
            offset += start(levels.get(level), 0);
            level++;
        }
        if (level == levels.size()) {
            return offset;
        }
        Level first = levels.get(level);
        return runs(level) && first.units().ranges() == 1 ? offset + start(first, 0) : -1;
    }

    /** The stored elements from the first to after the last that the slice has. */
    long[] span() {
        long from = base;
        long to = base;
        for (Level level : levels) {
            from += start(level, 0);
            to += (level.from() + (long) level.units().to(level.units().ranges() - 1) - 1) * level.stride();
        }
        return new long[] {from, to + 1};
    }

    /** Takes runs of elements that are stored one after the other. */
    interface Run {
        void copy(long storedElement, long sliceElement, long elements);
    }

    /** Visits the whole slice in its own order, in runs as long as they get. */
    void forEachRun(Run run) {
        if (elements() > 0) {
            visit(0, base, new long[1], run);
        }
    }

    private void visit(int level, long stored, long[] position, Run run) {
        if (level == levels.size()) {
            run.copy(stored, position[0]++, 1);
            return;
        }
        Level here = levels.get(level);
        boolean together = runs(level);
        for (int range = 0; range < here.units().ranges(); range++) {
            int from = here.units().from(range);
            int to = here.units().to(range);
            if (together) {
                long length = (to - from) * here.stride();
                run.copy(stored + start(here, range), position[0], length);
                position[0] += length;
            } else {
                for (int unit = from; unit < to; unit++) {
                    visit(level + 1, stored + (here.from() + (long) unit) * here.stride(), position, run);
                }
            }
        }
    }

    private static long start(Level level, int range) {
        return (level.from() + (long) level.units().from(range)) * level.stride();
    }

    /** Whether following units of a level, with all levels inside it, are stored one after the other. */
    private boolean runs(int level) {
        long expected = 1;
        for (int i = levels.size() - 1; i > level; i--) {
            Level inner = levels.get(i);
            if (inner.stride() != expected || !inner.complete()) {
                return false;
            }
            expected *= inner.stored();
        }
        return levels.get(level).stride() == expected;
    }
}
