package org.maniple.kernel.engine;

import java.util.Arrays;

/** Which KV blocks nobody holds. Every rank has the same blocks. Used by the engine's thread alone. */
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

    /** Takes blocks; the caller has made sure that they are there. */
    int[] take(int blocks) {
        if (blocks > count) {
            throw new IllegalStateException("There are " + count + " free KV blocks of " + free.length + ", not " + blocks);
        }
        count -= blocks;
        return Arrays.copyOfRange(free, count, count + blocks);
    }

    void giveBack(int[] blocks) {
        if (blocks.length > free.length - count) {
            throw new IllegalStateException("More KV blocks come back than were taken");
        }
        System.arraycopy(blocks, 0, free, count, blocks.length);
        count += blocks.length;
    }
}
