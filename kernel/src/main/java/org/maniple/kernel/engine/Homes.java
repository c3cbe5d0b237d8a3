package org.maniple.kernel.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Spreads sequences over the homes. A sequence gets its home when there is room for it and not when it arrives, so that none waits at
 * one home while another has nothing to do. Used by the engine's thread alone; figures may be asked for under its lock.
 */
final class Homes {

    private final List<Home> all = new ArrayList<>();
    /** Homes that an earlier sequence waits for, while sequences are admitted. */
    private final boolean[] closed;

    Homes(int count, int seats, int blocks, int blockSize, boolean sharing, SequenceOrder order) {
        for (int number = 0; number < count; number++) {
            all.add(new Home(number, seats, blocks, blockSize, sharing, order));
        }
        closed = new boolean[count];
    }

    List<Home> all() {
        return all;
    }

    /** Sequences that have been admitted and not let go. */
    int running() {
        int count = 0;
        for (int i = 0; i < all.size(); i++) {
            count += all.get(i).running().size();
        }
        return count;
    }

    Home of(Sequence sequence) {
        return all.get(sequence.home());
    }

    /** Keeps the figures of now for those who ask while steps are planned. */
    void note() {
        for (int i = 0; i < all.size(); i++) {
            all.get(i).note();
        }
    }

    void resetCaches() {
        for (int i = 0; i < all.size(); i++) {
            all.get(i).cache().reset();
        }
    }

    long cacheQueries() {
        return all.stream().mapToLong(Home::cacheQueries).sum();
    }

    long cacheHits() {
        return all.stream().mapToLong(Home::cacheHits).sum();
    }

    long preemptions() {
        return all.stream().mapToLong(Home::preemptions).sum();
    }

    int freeBlocks() {
        int count = 0;
        for (int i = 0; i < all.size(); i++) {
            count += all.get(i).freeBlocks();
        }
        return count;
    }

    /**
     * Takes sequences from the queue while there are seats and blocks for them, in their order: one that may run anywhere goes to
     * the home with the fewest, and stops all later ones while it fits nowhere; one that may run at one home only stops the later ones
     * there.
     */
    void admit(WaitingQueue waiting) {
        Arrays.fill(closed, false);
        int next = 0;
        while (next < waiting.size()) {
            Sequence sequence = waiting.get(next);
            int home = choose(sequence);
            if (home >= 0) {
                all.get(home).admit(waiting.remove(next));
                continue;
            }
            next++;
            if (sequence.request.home().isPresent()) {
                closed[sequence.request.home().getAsInt()] = true;
            } else {
                return;
            }
        }
    }

    /** The home with room for a sequence that has the fewest others; of equals the one with most of its tokens in its cache; -1 if none has room. */
    private int choose(Sequence sequence) {
        int best = -1;
        int matching = 0;
        int first = sequence.request.home().orElse(0);
        int last = sequence.request.home().orElse(all.size() - 1);
        for (int number = first; number <= last; number++) {
            Home home = all.get(number);
            int more = best < 0 ? -1 : home.running().size() - all.get(best).running().size();
            if (more > 0 || closed[number] || !home.hasRoom(sequence)) {
                continue;
            }
            int found = first == last ? 0 : home.cache().matching(sequence);
            if (more < 0 || found > matching) {
                best = number;
                matching = found;
            }
        }
        return best;
    }
}
