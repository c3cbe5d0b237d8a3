package org.maniple.kernel.plan;

import org.maniple.kernel.config.EffectiveSettings;
import org.maniple.kernel.config.KernelOptions;
import org.maniple.kernel.config.UnitWish;

/**
 * The memory of a rank, and what requests need of it.
 *
 * @param memory bytes of a rank
 * @param source what says so
 * @param part of it that weights and KV cache may take together
 * @param length tokens of the longest request
 * @param lengthGiven whether the user insists on that length
 * @param maxSequences sequences of a step
 * @param blockSize tokens of a KV block
 * @param kvLimit bytes of the KV cache of a rank that the user has set
 */
record Budget(long memory, String source, double part, int length, boolean lengthGiven, int maxSequences, int blockSize,
        long kvLimit) {

    /** What the field leaves for activations and buffers. */
    private static final double PART = 0.9;

    static Budget of(UnitWish wish, int contextLength) {
        EffectiveSettings settings = wish.settings();
        boolean given = settings.has(KernelOptions.MEMORY_LIMIT);
        int crowd = wish.ranksPerNode().stream().mapToInt(Integer::intValue).max().orElse(1);
        boolean length = settings.has(KernelOptions.MAX_MODEL_LEN);
        return new Budget(given ? settings.bytes(KernelOptions.MEMORY_LIMIT) : wish.host().memoryBytes() / crowd,
                given ? settings.source(KernelOptions.MEMORY_LIMIT) : "this machine's memory for " + crowd + " ranks",
                settings.has(KernelOptions.GPU_MEMORY_UTILIZATION)
                        ? settings.number(KernelOptions.GPU_MEMORY_UTILIZATION)
                        : PART,
                length ? settings.integer(KernelOptions.MAX_MODEL_LEN) : contextLength, length,
                settings.integer(KernelOptions.MAX_NUM_SEQS), settings.integer(KernelOptions.BLOCK_SIZE),
                settings.has(KernelOptions.KV_CACHE_MEMORY_BYTES)
                        ? settings.bytes(KernelOptions.KV_CACHE_MEMORY_BYTES)
                        : Long.MAX_VALUE);
    }

    /** Bytes for weights and KV cache. */
    long usable() {
        return (long) (memory * part);
    }
}
