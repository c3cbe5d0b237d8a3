package org.maniple.kernel.program;

/**
 * What a configuration says about how programs are made, beside the rules of parallelisms.
 *
 * @param exact whether the bits of results must not depend on the layout: sums are formed by leaves along one tree, and partial sums are never
 *     added to each other
 * @param expertOrder whether the results of a token's experts are summed where the token lives, in the order of the experts; otherwise each rank
 *     sums its own first
 * @param gathers whether tokens are gathered by all ranks before they are dispatched to experts; otherwise each goes to the ranks that need it
 * @param cache what states are held as
 */
public record CompileOptions(boolean exact, boolean expertOrder, boolean gathers, CacheType cache) {

    /** Results may depend on the layout by rounding; ordinary collectives only. */
    public static final CompileOptions FAST = new CompileOptions(false, false, true);

    /** Checks that they fit together. */
    public CompileOptions {
        if (exact && !expertOrder) {
            throw new IllegalArgumentException("exact results need sums in the order of the experts");
        }
    }

    /**
     * With states of floats.
     *
     * @param exact as above
     * @param expertOrder as above
     * @param gathers as above
     */
    public CompileOptions(boolean exact, boolean expertOrder, boolean gathers) {
        this(exact, expertOrder, gathers, CacheType.F32);
    }
}
