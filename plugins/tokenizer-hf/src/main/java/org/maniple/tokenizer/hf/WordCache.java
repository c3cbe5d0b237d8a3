package org.maniple.tokenizer.hf;

import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Remembers how short words were encoded. Two generations of bounded size: when the young one is full it becomes the old one, so that a
 * flood of rare words costs the frequent ones at most a repeated encoding.
 */
final class WordCache {
    private static final int LONGEST_WORD = 64;

    private final int capacity;
    private volatile ConcurrentHashMap<String, int[]> young = new ConcurrentHashMap<>();
    private volatile ConcurrentHashMap<String, int[]> old = new ConcurrentHashMap<>();

    WordCache(int capacity) {
        this.capacity = capacity;
    }

    int @Nullable [] get(String word) {
        if (word.length() > LONGEST_WORD) {
            return null;
        }
        var ids = young.get(word);
        if (ids != null) {
            return ids;
        }
        ids = old.get(word);
        if (ids != null) {
            put(word, ids);
        }
        return ids;
    }

    void put(String word, int[] ids) {
        if (word.length() > LONGEST_WORD) {
            return;
        }
        if (young.size() >= capacity) {
            synchronized (this) {
                if (young.size() >= capacity) {
                    old = young;
                    young = new ConcurrentHashMap<>();
                }
            }
        }
        young.put(word, ids);
    }

    /** The number of words remembered now. */
    int size() {
        return young.size() + old.size();
    }
}
