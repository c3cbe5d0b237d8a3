package org.maniple.kernel.unit;

/**
 * Why a unit cannot go on.
 *
 * @param rank the rank that is to blame
 * @param host where it runs
 * @param reason what happened to it, for example {@code is gone: connection reset}; follows the rank in a sentence
 */
public record UnitFailure(int rank, String host, String reason) {

    /**
     * The failure as a sentence.
     *
     * @return for example {@code rank 2 on node-b is gone: connection reset}
     */
    public String message() {
        return "rank " + rank + " on " + host + " " + reason;
    }
}
