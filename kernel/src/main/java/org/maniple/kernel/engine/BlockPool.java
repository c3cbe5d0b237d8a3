package org.maniple.kernel.engine;

/** Which KV blocks nobody holds. Every rank has the same blocks. Used by the engine's thread alone; allocates nothing. */
final class BlockPool {

    private final int[] free;
    private int count;

    BlockPool(int blocks) {
        free = new int[blocks];
        count = blocks;
        // The lowest number on top, so that a unit with little to do stays within the same few pages of memory.
        for (int i = 0; i < blocks; i++) {
            free[i] = blocks - 1 - i;
        }
    }

    int total() {
        return free.length;
    }

    int free() {
        return count;
    }

    /** Takes a block; the caller has made sure that there is one. */
    int take() {
        if (count == 0) {
            throw new IllegalStateException("There is no free KV block; all " + free.length + " are held");
        }
        return free[--count];
    }

    void giveBack(int block) {
        if (count == free.length) {
            throw new IllegalStateException("More KV blocks come back than were taken");
        }
        free[count++] = block;
    }
}
