package org.maniple.api.graph;

/**
 * One dimension: an axis and its number of units. Two layers with different widths have two extents of one axis.
 *
 * @param axis what the dimension means
 * @param extent units of the whole, on all ranks together; 0 for axes whose ranges come from the step
 */
public record Dim(Axis axis, int extent) {

    /** Tokens of the step. */
    public static final Dim TOKENS = new Dim(Axes.TOKENS, 0);
    /** Sequences of the step. */
    public static final Dim SEQS = new Dim(Axes.SEQS, 0);
    /** Tokens whose logits are wanted. */
    public static final Dim ROWS = new Dim(Axes.ROWS, 0);

    /** Checks that the extent fits the axis. */
    public Dim {
        if (Axes.ofTokens(axis) != (extent == 0) || extent < 0) {
            throw new IllegalArgumentException("extent " + extent + " for axis " + axis);
        }
    }

    @Override
    public String toString() {
        return extent == 0 ? axis.name() : axis.name() + ":" + extent;
    }
}
