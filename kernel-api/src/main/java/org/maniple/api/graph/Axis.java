package org.maniple.api.graph;

/**
 * What a dimension of a tensor means. Two dimensions with the same axis are the same thing: a parallelism that splits
 * {@link Axes#HEADS} splits every tensor that has heads. An <em>inner</em> axis is never split.
 *
 * @param name upper case for axes that may be split, lower case for inner ones
 */
public record Axis(String name) {

    /** Checks the form of the name. */
    public Axis {
        if (!name.matches("[A-Za-z][A-Za-z0-9_']{0,31}")) {
            throw new IllegalArgumentException("axis name [" + name + "]");
        }
    }

    /**
     * Whether the axis is an inner one, that no rule can split.
     *
     * @return whether the name is in lower case
     */
    public boolean inner() {
        return Character.isLowerCase(name.charAt(0));
    }

    /**
     * A dimension along this axis.
     *
     * @param extent the number of units
     * @return the dimension
     */
    public Dim of(int extent) {
        return new Dim(this, extent);
    }

    @Override
    public String toString() {
        return name;
    }
}
