package org.maniple.kernel.engine;

import java.util.ArrayList;
import java.util.List;

/** Sequences that wait for room, in their order, which is not always that in which they are added. Guarded by the engine's lock. */
final class WaitingQueue {

    private final List<Sequence> sequences = new ArrayList<>();
    private final SequenceOrder order;
    private long tokens;

    WaitingQueue(SequenceOrder order) {
        this.order = order;
    }

    /** Adds a sequence at its place: before all that come after it. */
    void add(Sequence sequence) {
        int place = sequences.size();
        while (place > 0 && order.isBefore(sequence, sequences.get(place - 1))) {
            place--;
        }
        sequences.add(place, sequence);
        tokens += sequence.length();
    }

    Sequence get(int index) {
        return sequences.get(index);
    }

    Sequence remove(int index) {
        Sequence removed = sequences.remove(index);
        tokens -= removed.length();
        return removed;
    }

    int size() {
        return sequences.size();
    }

    boolean isEmpty() {
        return sequences.isEmpty();
    }

    /** Tokens that have to be computed for all of them before they go on. */
    long tokens() {
        return tokens;
    }

    /** Sequences that may run at one home only, which is this one. */
    int pinnedTo(int home) {
        int count = 0;
        for (Sequence sequence : sequences) {
            count += sequence.request.home().orElse(-1) == home ? 1 : 0;
        }
        return count;
    }

    void clear() {
        sequences.clear();
        tokens = 0;
    }
}
