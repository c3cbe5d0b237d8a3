package org.maniple.kernel.boot;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.maniple.api.HostInfo;
import org.maniple.api.ManipleException;
import org.maniple.api.collective.Communicator;
import org.maniple.api.config.Settings;
import org.maniple.api.transport.Wire;
import org.maniple.kernel.config.KernelOptions;
import org.maniple.kernel.execute.RankExecutor;
import org.maniple.kernel.program.RankProgram;

/**
 * How many KV blocks the unit has, and how long a request may be. Every rank says how many blocks it has room for; the smallest number
 * counts, since all ranks use the same block numbers. With data parallelism every home has so many of its own.
 *
 * @param blocks KV blocks, on every rank
 * @param blockSize positions per block
 * @param maxModelLength positions of a request
 * @param lines what the user is told
 */
record Capacity(int blocks, int blockSize, int maxModelLength, List<String> lines) {

    /** Part of the memory of the host that the ranks on it use for KV blocks together, unless configured. */
    private static final double MEMORY_SHARE = 0.25;
    private static final int WORLD = 0xffff;

    /**
     * Agrees with all other ranks.
     *
     * @param weightBytes weights that this rank has copied into its memory
     * @param ranksHere ranks on this host
     */
    static Capacity agree(RankProgram program, Settings settings, HostInfo host, long weightBytes, int ranksHere, Wire wire,
            Communicator communicator) {
        int blockSize = settings.integer(KernelOptions.BLOCK_SIZE);
        long own = ownBlocks(program, settings, host, weightBytes, ranksHere, blockSize);
        long[] all = collect(own, program.program().mesh().ranks(), wire, communicator);
        int least = IntStream.range(0, all.length).reduce(0, (a, b) -> all[b] < all[a] ? b : a);
        int blocks = Math.toIntExact(Math.min(all[least], Integer.MAX_VALUE / blockSize));
        boolean limited = java.util.Arrays.stream(all).distinct().count() > 1;
        return decide(blocks, blockSize, program, settings, limited ? " (limited by rank " + least + ")" : "");
    }

    private static Capacity decide(int blocks, int blockSize, RankProgram program, Settings settings, String limit) {
        var lines = new ArrayList<String>();
        int context = program.program().graph().contextLength();
        int homes = program.program().homes();
        long tokens = (long) blocks * blockSize;
        boolean given = settings.has(KernelOptions.MAX_MODEL_LEN);
        int wanted = given ? settings.integer(KernelOptions.MAX_MODEL_LEN) : context;
        if (wanted > context) {
            throw new ManipleException("max-model-len " + wanted + " (" + settings.source(KernelOptions.MAX_MODEL_LEN)
                    + ") is longer than the " + context + " positions that the model was made for; give at most " + context);
        }
        if (wanted > tokens) {
            String shortage = "the KV cache has room for " + tokens + " tokens" + limit;
            if (given || tokens == 0) {
                throw new ManipleException(
                        "max-model-len " + wanted + " does not fit: " + shortage + "; give --max-model-len " + tokens
                                + " at most, or more memory by --kv-cache-memory-bytes");
            }
            lines.add("max-model-len: " + wanted + " → " + tokens + ", because " + shortage);
            wanted = (int) tokens;
        }
        lines.add("# CPU blocks: " + blocks + (homes == 1 ? "" : " for each of " + homes + " groups of ranks") + limit);
        String parts = homes == 1 ? "" : String.format(Locale.ROOT, " (%d × %,d)", homes, tokens);
        lines.add(String.format(Locale.ROOT, "KV cache size: %,d tokens%s", homes * tokens, parts));
        lines.add(String.format(Locale.ROOT, "Maximum concurrency for %,d tokens per request: %.2fx", wanted,
                homes * tokens / (double) wanted));
        return new Capacity(blocks, blockSize, wanted, lines);
    }

    /** The configured number; else what fits into the configured memory; else what can be used, within a share of the memory. */
    private static long ownBlocks(RankProgram program, Settings settings, HostInfo host, long weightBytes, int ranksHere,
            int blockSize) {
        if (settings.has(KernelOptions.NUM_GPU_BLOCKS_OVERRIDE)) {
            return settings.integer(KernelOptions.NUM_GPU_BLOCKS_OVERRIDE);
        }
        long bytes = Math.max(1, RankExecutor.blockBytes(program, blockSize));
        if (settings.has(KernelOptions.KV_CACHE_MEMORY_BYTES)) {
            return settings.bytes(KernelOptions.KV_CACHE_MEMORY_BYTES) / bytes;
        }
        int length = settings.has(KernelOptions.MAX_MODEL_LEN)
                ? settings.integer(KernelOptions.MAX_MODEL_LEN)
                : program.program().graph().contextLength();
        long useful = (length + blockSize - 1L) / blockSize * settings.integer(KernelOptions.MAX_NUM_SEQS);
        long memory = settings.has(KernelOptions.GPU_MEMORY_UTILIZATION)
                ? (long) (host.memoryBytes() * settings.number(KernelOptions.GPU_MEMORY_UTILIZATION) / ranksHere) - weightBytes
                : (long) (host.memoryBytes() * MEMORY_SHARE / ranksHere);
        return Math.max(0, Math.min(useful, memory / bytes));
    }

    private static long[] collect(long own, int ranks, Wire wire, Communicator communicator) {
        if (ranks == 1) {
            return new long[] {own};
        }
        Communicator.Group world = communicator.group(WORLD, IntStream.range(0, ranks).boxed().toList());
        MemorySegment mine = wire.allocate(8);
        MemorySegment all = wire.allocate(8L * ranks);
        mine.set(JAVA_LONG_UNALIGNED, 0, own);
        long[] sizes = new long[ranks];
        java.util.Arrays.fill(sizes, 8);
        communicator.allGather(world, mine, sizes, all);
        long[] result = new long[ranks];
        for (int i = 0; i < ranks; i++) {
            result[i] = all.get(JAVA_LONG_UNALIGNED, 8L * i);
        }
        return result;
    }
}
