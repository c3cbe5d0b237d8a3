package org.maniple.kernel.engine;

import java.util.Comparator;
import org.maniple.api.engine.ScheduledRequest;

/**
 * Which of two sequences is served first: as the policy says, and otherwise the one that came first. So there is always a first and a last.
 *
 * @param policy the policy's order
 */
record SequenceOrder(Comparator<ScheduledRequest> policy) {

    boolean isBefore(Sequence one, Sequence other) {
        int difference = policy.compare(one.scheduled, other.scheduled);
        return difference < 0 || difference == 0 && one.number < other.number;
    }

    /** Whether neither has to wait for the other. */
    boolean areEqual(Sequence one, Sequence other) {
        return policy.compare(one.scheduled, other.scheduled) == 0;
    }
}
