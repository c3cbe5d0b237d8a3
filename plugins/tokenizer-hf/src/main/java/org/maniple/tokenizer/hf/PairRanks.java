package org.maniple.tokenizer.hf;

import java.util.Arrays;

/** Merge rules: for a pair of token ids, the rank of the rule (smaller is earlier) and the id it makes. Open addressing over arrays. */
final class PairRanks {
    private static final long EMPTY = -1;

    private final long[] keys;
    private final int[] ranks;
    private final int[] merged;
    private final int mask;

    PairRanks(int expected) {
        int capacity = Math.max(16, Integer.highestOneBit(expected * 2 + 1) * 2);
        keys = new long[capacity];
        ranks = new int[capacity];
        merged = new int[capacity];
        mask = capacity - 1;
        Arrays.fill(keys, EMPTY);
    }

    /** Adds a rule; of two rules for one pair the later counts, as in the reference. */
    void put(int left, int right, int rank, int result) {
        long key = key(left, right);
        int slot = slot(key);
        keys[slot] = key;
        ranks[slot] = rank;
        merged[slot] = result;
    }

    /** A handle to the rule for this pair, or -1. */
    int find(int left, int right) {
        long key = key(left, right);
        int slot = slot(key);
        return keys[slot] == key ? slot : -1;
    }

    int rank(int handle) {
        return ranks[handle];
    }

    int merged(int handle) {
        return merged[handle];
    }

    private static long key(int left, int right) {
        return (long) left << 32 | right;
    }

    private int slot(long key) {
        long mixed = key * 0x9E3779B97F4A7C15L;
        int slot = (int) (mixed >>> 32) & mask;
        while (keys[slot] != EMPTY && keys[slot] != key) {
            slot = slot + 1 & mask;
        }
        return slot;
    }
}
