package org.maniple.api.tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntUnaryOperator;

/**
 * An ascending list of different units of an axis (heads, columns, experts), stored as ranges. It says which units a rank has and in
 * which order they lie in its memory. Immutable.
 */
public final class UnitList {

    private static final UnitList EMPTY = new UnitList(new int[0]);

    /** From and to (exclusive), in turn; ascending, never touching. */
    private final int[] bounds;
    private final int size;

    private UnitList(int[] bounds) {
        this.bounds = bounds;
        int sum = 0;
        for (int i = 0; i < bounds.length; i += 2) {
            sum += bounds[i + 1] - bounds[i];
        }
        this.size = sum;
    }

    /**
     * No unit at all.
     *
     * @return the empty list
     */
    public static UnitList empty() {
        return EMPTY;
    }

    /**
     * The units from one to another.
     *
     * @param from the first
     * @param to after the last
     * @return the list; empty if {@code from == to}
     */
    public static UnitList range(int from, int to) {
        if (from < 0 || to < from) {
            throw new IllegalArgumentException("units from " + from + " to " + to);
        }
        return from == to ? EMPTY : new UnitList(new int[] {from, to});
    }

    /**
     * The units with these numbers.
     *
     * @param units in any order; twice the same counts once
     * @return the list
     */
    public static UnitList of(int... units) {
        int[] sorted = Arrays.stream(units).sorted().distinct().toArray();
        var ends = new ArrayList<Integer>();
        for (int i = 0; i < sorted.length; i++) {
            if (sorted[i] < 0) {
                throw new IllegalArgumentException("unit " + sorted[i]);
            }
            if (i == 0 || sorted[i] != sorted[i - 1] + 1) {
                ends.add(sorted[i]);
                ends.add(sorted[i] + 1);
            } else {
                ends.set(ends.size() - 1, sorted[i] + 1);
            }
        }
        return new UnitList(ends.stream().mapToInt(Integer::intValue).toArray());
    }

    /**
     * The number of units.
     *
     * @return at least 0
     */
    public int size() {
        return size;
    }

    /**
     * The number of ranges.
     *
     * @return 0 for no unit, 1 if the units follow each other, otherwise more
     */
    public int ranges() {
        return bounds.length / 2;
    }

    /**
     * The first unit of a range.
     *
     * @param range counted from 0
     * @return the unit
     */
    public int from(int range) {
        return bounds[2 * range];
    }

    /**
     * The unit after the last of a range.
     *
     * @param range counted from 0
     * @return the unit
     */
    public int to(int range) {
        return bounds[2 * range + 1];
    }

    /**
     * The unit at a position of the list.
     *
     * @param index from 0 to size
     * @return the unit
     */
    public int get(int index) {
        int rest = index;
        for (int i = 0; i < bounds.length; i += 2) {
            int length = bounds[i + 1] - bounds[i];
            if (rest < length) {
                return bounds[i] + rest;
            }
            rest -= length;
        }
        throw new IndexOutOfBoundsException("position " + index + " of " + size + " units");
    }

    /**
     * The position of a unit in the list, which is where it lies in the rank's memory.
     *
     * @param unit a unit
     * @return the position, or -1 if the list does not contain it
     */
    public int indexOf(int unit) {
        int before = 0;
        for (int i = 0; i < bounds.length; i += 2) {
            if (unit < bounds[i]) {
                return -1;
            }
            if (unit < bounds[i + 1]) {
                return before + unit - bounds[i];
            }
            before += bounds[i + 1] - bounds[i];
        }
        return -1;
    }

    /**
     * Whether the list contains a unit.
     *
     * @param unit a unit
     * @return whether it does
     */
    public boolean contains(int unit) {
        return indexOf(unit) >= 0;
    }

    /**
     * Whether all units of another list are in this one.
     *
     * @param other another list
     * @return whether they are
     */
    public boolean containsAll(UnitList other) {
        return union(other).size == size;
    }

    /**
     * The units that are in at least one of two lists.
     *
     * @param other another list
     * @return a list
     */
    public UnitList union(UnitList other) {
        return merge(List.of(this, other));
    }

    /**
     * The units that are in both lists.
     *
     * @param other another list
     * @return a list
     */
    public UnitList intersect(UnitList other) {
        var ends = new ArrayList<Integer>();
        for (int i = 0; i < bounds.length; i += 2) {
            for (int j = 0; j < other.bounds.length; j += 2) {
                int from = Math.max(bounds[i], other.bounds[j]);
                int to = Math.min(bounds[i + 1], other.bounds[j + 1]);
                if (from < to) {
                    ends.add(from);
                    ends.add(to);
                }
            }
        }
        return ofBounds(ends);
    }

    /**
     * The units that are in at least one of several lists.
     *
     * @param lists any number of lists
     * @return a list
     */
    public static UnitList merge(List<UnitList> lists) {
        var pairs = new ArrayList<int[]>();
        for (UnitList list : lists) {
            for (int i = 0; i < list.bounds.length; i += 2) {
                pairs.add(new int[] {list.bounds[i], list.bounds[i + 1]});
            }
        }
        pairs.sort((a, b) -> Integer.compare(a[0], b[0]));
        var ends = new ArrayList<Integer>();
        for (int[] pair : pairs) {
            int last = ends.size() - 1;
            if (last >= 0 && pair[0] <= ends.get(last)) {
                ends.set(last, Math.max(ends.get(last), pair[1]));
            } else {
                ends.add(pair[0]);
                ends.add(pair[1]);
            }
        }
        return ofBounds(ends);
    }

    /**
     * The images of the units under a function, for example the key-value heads that a list of query heads needs.
     *
     * @param function applied to each unit
     * @return the list of the results, each once
     */
    public UnitList map(IntUnaryOperator function) {
        int[] images = new int[size];
        for (int i = 0; i < size; i++) {
            images[i] = function.applyAsInt(get(i));
        }
        return of(images);
    }

    private static UnitList ofBounds(List<Integer> ends) {
        return ends.isEmpty() ? EMPTY : new UnitList(ends.stream().mapToInt(Integer::intValue).toArray());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof UnitList list && Arrays.equals(bounds, list.bounds);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bounds);
    }

    /** Ranges with inclusive ends, for example {@code 0-2,5}; {@code none} without units. */
    @Override
    public String toString() {
        if (size == 0) {
            return "none";
        }
        var text = new StringBuilder();
        for (int i = 0; i < bounds.length; i += 2) {
            text.append(i == 0 ? "" : ",").append(bounds[i]);
            if (bounds[i + 1] - bounds[i] > 1) {
                text.append('-').append(bounds[i + 1] - 1);
            }
        }
        return text.toString();
    }
}
