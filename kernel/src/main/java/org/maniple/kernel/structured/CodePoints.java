package org.maniple.kernel.structured;

import java.util.Arrays;
import java.util.function.IntPredicate;

/** A set of Unicode characters without surrogates, as sorted ranges that neither touch nor overlap. Immutable. */
final class CodePoints {

    static final CodePoints NONE = new CodePoints(new int[0]);
    static final CodePoints ALL = new CodePoints(new int[] {0, 0xD7FF, 0xE000, Character.MAX_CODE_POINT});

    /** First and last characters of ranges, by turns. */
    private final int[] bounds;

    private CodePoints(int[] bounds) {
        this.bounds = bounds;
    }

    static CodePoints of(int character) {
        return range(character, character);
    }

    static CodePoints range(int first, int last) {
        return new CodePoints(new int[] {first, last}).and(ALL);
    }

    /** The characters of a text. */
    static CodePoints of(String characters) {
        return characters.codePoints().mapToObj(CodePoints::of).reduce(NONE, CodePoints::or);
    }

    /** The characters for which something holds. */
    static CodePoints where(IntPredicate holds) {
        int[] found = new int[64];
        int size = 0;
        for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
            if (holds.test(c)) {
                if (size > 0 && found[size - 1] == c - 1) {
                    found[size - 1] = c;
                } else {
                    if (size == found.length) {
                        found = Arrays.copyOf(found, 2 * size);
                    }
                    found[size++] = c;
                    found[size++] = c;
                }
            }
        }
        return new CodePoints(Arrays.copyOf(found, size)).and(ALL);
    }

    CodePoints or(CodePoints other) {
        return merged(other, 1);
    }

    CodePoints and(CodePoints other) {
        return merged(other, 2);
    }

    CodePoints not() {
        int[] complement = new int[bounds.length + 2];
        int size = 0;
        int from = 0;
        for (int i = 0; i < bounds.length; i += 2) {
            if (bounds[i] > from) {
                complement[size++] = from;
                complement[size++] = bounds[i] - 1;
            }
            from = bounds[i + 1] + 1;
        }
        if (from <= Character.MAX_CODE_POINT) {
            complement[size++] = from;
            complement[size++] = Character.MAX_CODE_POINT;
        }
        return new CodePoints(Arrays.copyOf(complement, size)).and(ALL);
    }

    CodePoints minus(CodePoints other) {
        return and(other.not());
    }

    /** Keeps what lies in at least so many of the two sets: a sweep over both lists of bounds. */
    private CodePoints merged(CodePoints other, int needed) {
        int[] result = new int[bounds.length + other.bounds.length + 2];
        int size = 0;
        int a = 0;
        int b = 0;
        int depth = 0;
        while (a < bounds.length || b < other.bounds.length) {
            int nextA = a < bounds.length ? edge(bounds, a) : Integer.MAX_VALUE;
            int nextB = b < other.bounds.length ? edge(other.bounds, b) : Integer.MAX_VALUE;
            int at = Math.min(nextA, nextB);
            int before = depth;
            if (nextA == at) {
                depth += (a++ & 1) == 0 ? 1 : -1;
            }
            if (nextB == at) {
                depth += (b++ & 1) == 0 ? 1 : -1;
            }
            if (before < needed && depth >= needed) {
                result[size++] = at;
            } else if (before >= needed && depth < needed) {
                result[size++] = at - 1;
            }
        }
        return new CodePoints(joined(result, size));
    }

    /** Where membership changes: at the first character of a range, and after its last. */
    private static int edge(int[] bounds, int index) {
        return (index & 1) == 0 ? bounds[index] : bounds[index] + 1;
    }

    private static int[] joined(int[] ranges, int size) {
        int kept = 0;
        for (int i = 0; i < size; i += 2) {
            if (kept > 0 && ranges[kept - 1] + 1 == ranges[i]) {
                ranges[kept - 1] = ranges[i + 1];
            } else {
                ranges[kept++] = ranges[i];
                ranges[kept++] = ranges[i + 1];
            }
        }
        return Arrays.copyOf(ranges, kept);
    }

    boolean isEmpty() {
        return bounds.length == 0;
    }

    boolean contains(int character) {
        for (int i = 0; i < bounds.length; i += 2) {
            if (character >= bounds[i] && character <= bounds[i + 1]) {
                return true;
            }
        }
        return false;
    }

    int ranges() {
        return bounds.length / 2;
    }

    int first(int range) {
        return bounds[2 * range];
    }

    int last(int range) {
        return bounds[2 * range + 1];
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof CodePoints set && Arrays.equals(bounds, set.bounds);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bounds);
    }

    @Override
    public String toString() {
        return Arrays.toString(bounds);
    }
}
