package org.maniple.kernel.engine;

import java.util.Arrays;

/**
 * Lets sequences of a home use KV blocks that others, or they themselves, have computed before: full blocks that begin their tokens. What
 * lies in a block depends on the tokens up to its end and on nothing else, so results do not change. The last token is always computed, since
 * its logits are wanted. Block numbers mean the same on every rank: the ranks need not know of this. Used by the engine's thread alone.
 */
final class PrefixCache {

    /** For fewer blocks than these, waiting a step saves too little. */
    private static final int TOGETHER = 2;

    private final boolean enabled;
    private final BlockPool pool;
    private final BlockHasher hasher;
    private final int blockSize;
    private long queries;
    private long hits;

    PrefixCache(boolean enabled, BlockPool pool, int blockSize) {
        this.enabled = enabled;
        this.pool = pool;
        this.blockSize = blockSize;
        hasher = new BlockHasher(blockSize);
    }

    /** Tokens of prompts that have been looked for. */
    long queries() {
        return queries;
    }

    /** Those of them that need not be computed. */
    long hits() {
        return hits;
    }

    /** Those whose prompt's log-probabilities are wanted need the rows of all tokens. */
    private boolean mayUse(Sequence sequence) {
        return enabled && !sequence.needsAllRows();
    }

    /**
     * How many of the blocks with which a sequence could begin somebody holds at present: it would need so many less than it has to fill.
     *
     * @return blocks
     */
    int heldByOthers(Sequence sequence) {
        int count = 0;
        int most = mayUse(sequence) ? (sequence.length() - 1) / blockSize : 0;
        for (int i = 0; i < most; i++) {
            int block = find(sequence, i);
            if (block < 0) {
                break;
            }
            count += pool.isHeld(block) ? 1 : 0;
        }
        return count;
    }

    /** How many tokens of a sequence that is waiting lie in blocks with which it could begin. */
    int matching(Sequence sequence) {
        int most = mayUse(sequence) ? (sequence.length() - 1) / blockSize : 0;
        int count = 0;
        while (count < most && find(sequence, count) >= 0) {
            count++;
        }
        return count * blockSize;
    }

    /** Counts a sequence that begins for the first time. */
    void asked(Sequence sequence) {
        queries += enabled ? sequence.promptLength : 0;
    }

    /**
     * Gives a sequence the blocks that follow those that it has and need not be computed. Called when it begins and before each part of its
     * prompt, so that sequences with the same beginning that have come together compute it once.
     */
    void follow(Sequence sequence) {
        if (!mayUse(sequence)) {
            return;
        }
        int block = sequence.heldBlocks();
        while (sequence.computed() == block * blockSize && sequence.length() > (block + 1) * blockSize) {
            int found = find(sequence, block);
            if (found < 0) {
                return;
            }
            pool.share(found);
            hits += sequence.skip(found, blockSize);
            block++;
        }
    }

    /** Whether two sequences compute the same block at present, and have some more in common. */
    boolean goTogether(Sequence sequence, Sequence other) {
        int block = sequence.computed() / blockSize;
        int last = block + TOGETHER - 1;
        int tokens = (last + 1) * blockSize;
        if (!mayUse(sequence) || block != other.computed() / blockSize || sequence.length() <= tokens
                || other.length() < tokens) {
            return false;
        }
        int from = BlockHasher.WORDS * last;
        int to = from + BlockHasher.WORDS;
        return Arrays.equals(keys(sequence, last), from, to, keys(other, last), from, to);
    }

    private int find(Sequence sequence, int block) {
        return pool.find(keys(sequence, block), block);
    }

    private long[] keys(Sequence sequence, int block) {
        return sequence.keysUpTo(block, hasher, blockSize);
    }

    /** Makes the blocks known that a sequence has filled since it was last asked. */
    void publish(Sequence sequence) {
        if (!enabled) {
            return;
        }
        int full = sequence.computed() / blockSize;
        for (int block = sequence.published(); block < full; block++) {
            pool.publish(keys(sequence, block), block, sequence.blocks()[block]);
        }
        sequence.published(full);
    }

    /** Forgets everything. */
    void reset() {
        pool.forget();
    }
}
