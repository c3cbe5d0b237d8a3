package org.maniple.tokenizer.hf;

import java.util.Arrays;

/** A binary heap of possible merges, the smallest rank first and of equal ranks the leftmost; each carries the rule it was seen with. */
final class MergeQueue {
    private long[] keys;
    private int[] handles;
    private int size;

    MergeQueue(int capacity) {
        keys = new long[Math.max(8, capacity)];
        handles = new int[keys.length];
    }

    boolean isEmpty() {
        return size == 0;
    }

    void add(int rank, int position, int handle) {
        if (size == keys.length) {
            keys = Arrays.copyOf(keys, size * 2);
            handles = Arrays.copyOf(handles, size * 2);
        }
        long key = (long) rank << 32 | position;
        int at = size++;
        while (at > 0) {
            int parent = at - 1 >>> 1;
            if (keys[parent] <= key) {
                break;
            }
            move(parent, at);
            at = parent;
        }
        keys[at] = key;
        handles[at] = handle;
    }

    int position() {
        return (int) keys[0];
    }

    int handle() {
        return handles[0];
    }

    void remove() {
        long key = keys[--size];
        int handle = handles[size];
        int at = 0;
        while (2 * at + 1 < size) {
            int child = 2 * at + 1;
            if (child + 1 < size && keys[child + 1] < keys[child]) {
                child++;
            }
            if (keys[child] >= key) {
                break;
            }
            move(child, at);
            at = child;
        }
        keys[at] = key;
        handles[at] = handle;
    }

    private void move(int from, int to) {
        keys[to] = keys[from];
        handles[to] = handles[from];
    }
}
