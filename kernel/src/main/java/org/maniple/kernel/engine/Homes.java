package org.maniple.kernel.engine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;

/**
 * Spreads sequences over the homes. A sequence gets its home when there is room for it and not when it arrives, so that none waits at
 * one home while another has nothing to do. Used by the engine's thread alone, or under its lock.
 */
final class Homes {

    private final List<Home> all = new ArrayList<>();
    private final int blockSize;
    /** Homes that an earlier sequence waits for, while sequences are admitted. */
    private final boolean[] closed;

    Homes(int count, int seats, int blocks, int blockSize) {
        for (int number = 0; number < count; number++) {
            all.add(new Home(number, seats, blocks));
        }
        this.blockSize = blockSize;
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

    int freeBlocks() {
        int count = 0;
        for (int i = 0; i < all.size(); i++) {
            count += all.get(i).pool().free();
        }
        return count;
    }

    /**
     * Takes sequences from the queue while there are seats and blocks for them, first come, first served: one that may run anywhere goes to
     * the home with the fewest, and stops all later ones while it fits nowhere; one that may run at one home only stops the later ones
     * there.
     */
    void admit(ArrayDeque<Sequence> waiting) {
        Arrays.fill(closed, false);
        for (Iterator<Sequence> each = waiting.iterator(); each.hasNext();) {
            Sequence sequence = each.next();
            int blocks = Math.ceilDiv(sequence.maxLength, blockSize);
            int home = choose(sequence, blocks);
            if (home >= 0) {
                all.get(home).admit(sequence, blocks);
                each.remove();
            } else if (sequence.request.home().isPresent()) {
                closed[sequence.request.home().getAsInt()] = true;
            } else {
                return;
            }
        }
    }

    /** The home with room for a sequence that has the fewest others, of equals the first; -1 if none has. */
    private int choose(Sequence sequence, int blocks) {
        int best = -1;
        int first = sequence.request.home().orElse(0);
        int last = sequence.request.home().orElse(all.size() - 1);
        for (int number = first; number <= last; number++) {
            Home home = all.get(number);
            boolean better = best < 0 || home.running().size() < all.get(best).running().size();
            if (better && !closed[number] && home.hasRoom(blocks)) {
                best = number;
            }
        }
        return best;
    }
}
