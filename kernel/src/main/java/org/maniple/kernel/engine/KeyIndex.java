package org.maniple.kernel.engine;

import java.util.Arrays;

/** Finds KV blocks by the keys of what is in them. Used by the engine's thread alone; allocates nothing once it is made. */
final class KeyIndex {

    private static final int NONE = -1;
    private static final int ABSENT = -2;
    private static final int WORDS = BlockHasher.WORDS;

    private final long[] keys;
    /** For each bucket its first block, and for each block the next one of its bucket. */
    private final int[] first;
    private final int[] next;

    KeyIndex(int blocks) {
        keys = new long[Math.multiplyExact(WORDS, blocks)];
        first = new int[Integer.highestOneBit(Math.max(1, blocks)) * 2];
        next = new int[blocks];
        clear();
    }

    boolean contains(int block) {
        return next[block] != ABSENT;
    }

    /**
     * Finds a block.
     *
     * @param words an array of keys
     * @param key which of them
     * @return the block, or -1
     */
    int find(long[] words, int key) {
        int at = WORDS * key;
        for (int block = first[bucket(words, at)]; block != NONE; block = next[block]) {
            if (Arrays.equals(keys, WORDS * block, WORDS * block + WORDS, words, at, at + WORDS)) {
                return block;
            }
        }
        return NONE;
    }

    /** Adds a block that it does not contain under a key that it does not have. */
    void add(long[] words, int key, int block) {
        int at = WORDS * key;
        System.arraycopy(words, at, keys, WORDS * block, WORDS);
        int bucket = bucket(words, at);
        next[block] = first[bucket];
        first[bucket] = block;
    }

    void remove(int block) {
        int bucket = bucket(keys, WORDS * block);
        if (first[bucket] == block) {
            first[bucket] = next[block];
        } else {
            int before = first[bucket];
            while (next[before] != block) {
                before = next[before];
            }
            next[before] = next[block];
        }
        next[block] = ABSENT;
    }

    void clear() {
        Arrays.fill(first, NONE);
        Arrays.fill(next, ABSENT);
    }

    /** Keys are digests: every word is as good as any other. */
    private int bucket(long[] words, int at) {
        return (int) words[at] & first.length - 1;
    }
}
