package org.maniple.kernel.step;

/** What rank 0 tells all ranks about the places of experts, with a step: it happens on every rank before that step runs. */
public enum ExpertOrder {
    /** Nothing changes. */
    NONE,
    /** A round begins: ranks add up their loads, decide about new places, and bring weights for the first chunk in the background. */
    COLLECT,
    /** The weights of a chunk are there on all ranks: from this step on they are used, and those for the next chunk are brought. */
    COMMIT,
    /** The round ends without what has not been committed yet. */
    ABANDON;

    /** More than any model has blocks. */
    static final int MOST_CHUNKS = 4096;

    /** Why an order makes no sense; empty if it does. */
    String problem(int round, int chunk, int version) {
        boolean fits = this == NONE ? round == 0 : round > 0;
        if (!fits || chunk < 0 || chunk >= MOST_CHUNKS || (this != COMMIT && chunk != 0) || version < (this == COMMIT ? 1 : 0)) {
            return "order [" + this + "] about experts with round [" + round + "], chunk [" + chunk + "] and version [" + version
                    + "]; rounds count from 1, only a commit has a chunk, from 0 to " + (MOST_CHUNKS - 1)
                    + ", and versions do not count backwards";
        }
        return "";
    }
}
