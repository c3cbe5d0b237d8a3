package org.maniple.kernel.engine;

/**
 * Who holds which KV block, and which blocks nobody holds. Several sequences may hold a block that is full and published under a key. A
 * published block that nobody holds keeps its contents until all others are taken; then the one that has been without a holder for the
 * longest time goes. Every rank has the same blocks. Used by the engine's thread alone; allocates nothing once it is made.
 */
final class BlockPool {

    private final int[] holders;
    private final KeyIndex index;
    /** Blocks that nobody holds and that have nothing worth keeping. */
    private final int[] empty;
    private int emptyCount;
    /** Blocks that nobody holds and that are published, in a ring from the one that goes first; the entry behind the last block is its start. */
    private final int[] after;
    private final int[] before;
    private int keptCount;

    BlockPool(int blocks) {
        holders = new int[blocks];
        index = new KeyIndex(blocks);
        empty = new int[blocks];
        after = new int[blocks + 1];
        before = new int[blocks + 1];
        after[blocks] = blocks;
        before[blocks] = blocks;
        emptyCount = blocks;
        // The lowest number on top, so that a unit with little to do stays within the same few pages of memory.
        for (int i = 0; i < blocks; i++) {
            empty[i] = blocks - 1 - i;
        }
    }

    int total() {
        return holders.length;
    }

    /** Blocks that nobody holds. */
    int free() {
        return emptyCount + keptCount;
    }

    /** Takes a block that nobody holds; the caller has made sure that there is one. */
    int take() {
        int block;
        if (emptyCount > 0) {
            block = empty[--emptyCount];
        } else if (keptCount > 0) {
            block = after[holders.length];
            unlink(block);
            index.remove(block);
        } else {
            throw new IllegalStateException("There is no free KV block; all " + holders.length + " are held");
        }
        holders[block] = 1;
        return block;
    }

    /** Holds a published block too. */
    void share(int block) {
        if (holders[block]++ == 0) {
            unlink(block);
        }
    }

    boolean isHeld(int block) {
        return holders[block] > 0;
    }

    void giveBack(int block) {
        if (holders[block] == 0) {
            throw new IllegalStateException("KV block " + block + " comes back more often than it was taken");
        }
        if (--holders[block] > 0) {
            return;
        }
        if (index.contains(block)) {
            link(block);
        } else {
            empty[emptyCount++] = block;
        }
    }

    /** Makes a full block known under a key, unless another one with the same contents is. */
    void publish(long[] keys, int key, int block) {
        if (!index.contains(block) && index.find(keys, key) < 0) {
            index.add(keys, key, block);
        }
    }

    /** The block that is published under a key; -1 if there is none. */
    int find(long[] keys, int key) {
        return index.find(keys, key);
    }

    /** Forgets what is published; whoever holds such a block keeps it. */
    void forget() {
        index.clear();
        while (keptCount > 0) {
            int block = after[holders.length];
            unlink(block);
            empty[emptyCount++] = block;
        }
    }

    private void link(int block) {
        int end = holders.length;
        before[block] = before[end];
        after[block] = end;
        after[before[end]] = block;
        before[end] = block;
        keptCount++;
    }

    private void unlink(int block) {
        after[before[block]] = after[block];
        before[after[block]] = before[block];
        keptCount--;
    }
}
