package org.maniple.kernel.engine;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** One row of the results of a step: a view that is moved from row to row. */
final class LogitRow {

    private final int vocabulary;
    private MemorySegment candidates = MemorySegment.NULL;
    private MemorySegment logits = MemorySegment.NULL;
    private int k;
    private long candidatesAt;
    private long logitsAt;

    LogitRow(int vocabulary) {
        this.vocabulary = vocabulary;
    }

    LogitRow at(StepResults results, int row) {
        candidates = results.candidates();
        logits = results.logits();
        k = results.k();
        candidatesAt = (long) row * (2L * k + 2) * Float.BYTES;
        logitsAt = (long) row * vocabulary * Float.BYTES;
        return this;
    }

    int vocabulary() {
        return vocabulary;
    }

    /** How many candidates there are, at most k. */
    int candidates() {
        int count = k;
        while (count > 0 && candidateId(count - 1) < 0) {
            count--;
        }
        return count;
    }

    float candidate(int index) {
        return candidates.get(JAVA_FLOAT_UNALIGNED, candidatesAt + (long) index * Float.BYTES);
    }

    /** An id that a damaged row might hold is refused here, before anything is indexed by it. */
    int candidateId(int index) {
        int id = candidates.get(JAVA_INT_UNALIGNED, candidatesAt + (long) (k + index) * Float.BYTES);
        if (id >= vocabulary) {
            throw new IllegalStateException(
                    "Candidate " + index + " has token id [" + id + "]; the vocabulary has " + vocabulary);
        }
        return id;
    }

    /** The logarithm of the sum of the exponentials of all logits of the row. */
    double logSumExp() {
        long at = candidatesAt + 2L * k * Float.BYTES;
        double greatest = candidates.get(JAVA_FLOAT_UNALIGNED, at);
        return greatest + Math.log(candidates.get(JAVA_FLOAT_UNALIGNED, at + Float.BYTES));
    }

    boolean isWhole() {
        return logits.byteSize() >= logitsAt + (long) vocabulary * Float.BYTES;
    }

    float logit(int token) {
        return logits.get(JAVA_FLOAT_UNALIGNED, logitsAt + (long) token * Float.BYTES);
    }

    /** Copies the whole row. */
    void copyTo(double[] row) {
        for (int token = 0; token < vocabulary; token++) {
            row[token] = logit(token);
        }
    }
}
