package org.maniple.api.graph;

import java.util.Set;

/**
 * What an operation does to the axes of its operands; from this and nothing else follow its legal placements. An axis that is
 * neither reduced nor whole is <em>mapped</em>: each of its units is computed by itself.
 *
 * @param reduced axes of inputs over which the operation sums (or merges): split along one of these, each rank has a partial result
 * @param whole axes that must not be split, since a unit's result depends on the others'
 * @param linear which partial inputs may be passed on as a partial output
 * @param partial of which kind partial results are
 */
public record AxisSignature(Set<Axis> reduced, Set<Axis> whole, Linearity linear, PartialKind partial) {

    /** In which inputs an operation is linear. */
    public enum Linearity {
        /** In none. */
        NONE,
        /** In all of them together: all or none of them are partial. */
        ALL,
        /** In the first, for any values of the others, which are never partial. */
        FIRST
    }

    /** Copies the sets. */
    public AxisSignature {
        reduced = Set.copyOf(reduced);
        whole = Set.copyOf(whole);
    }

    /**
     * An operation that treats every unit of every axis by itself.
     *
     * @return the signature
     */
    public static AxisSignature map() {
        return new AxisSignature(Set.of(), Set.of(), Linearity.NONE, PartialKind.SUM);
    }

    /**
     * An operation that treats every unit of every axis by itself and is linear.
     *
     * @return the signature
     */
    public static AxisSignature linearMap() {
        return new AxisSignature(Set.of(), Set.of(), Linearity.ALL, PartialKind.SUM);
    }

    /**
     * An operation that sums over some axes.
     *
     * @param axes the axes
     * @return the signature
     */
    public static AxisSignature reduce(Set<Axis> axes) {
        return new AxisSignature(axes, Set.of(), Linearity.NONE, PartialKind.SUM);
    }

    /**
     * An operation that needs some axes whole.
     *
     * @param axes the axes
     * @return the signature
     */
    public static AxisSignature needsWhole(Set<Axis> axes) {
        return new AxisSignature(Set.of(), axes, Linearity.NONE, PartialKind.SUM);
    }
}
