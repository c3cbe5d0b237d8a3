package org.maniple.kernel.load;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import org.maniple.api.ManipleException;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.tensor.WeightLayout;

/**
 * Packs slices by several threads, each some rows at a time. What it reads is mapped for as long as those rows take, so that no more of the checkpoint
 * stays in this process than is being packed. Safe for use by several threads.
 */
final class SlicePacker {

    /** Rows are packed by as many bytes as fit into a cache. */
    private static final long CHUNK_BYTES = 1 << 20;

    private final Checkpoint checkpoint;
    private final SliceReader reader;

    SlicePacker(Checkpoint checkpoint, SliceReader reader) {
        this.checkpoint = checkpoint;
        this.reader = reader;
    }

    /** Gives the rows from one to another, as they are stored, for as long as an arena lives. */
    private interface Rows {
        MemorySegment get(long offset, long length, Arena arena);
    }

    /**
     * Packs.
     *
     * @param slice what is packed
     * @param weight the matrix that it is
     * @param layout how
     * @param target gets the packed matrix
     * @param threads how many threads take part
     */
    void pack(StoredSlice slice, WeightLayout.Weight weight, WeightLayout layout, MemorySegment target, int threads) {
        long first = slice.contiguous();
        if (first >= 0) {
            pack(weight, layout, target, slice.elementBytes(), threads,
                    (offset, length, arena) -> checkpoint.map(slice.tensor(), first + offset, length, arena));
            return;
        }
        try (Arena arena = Arena.ofShared()) {
            MemorySegment rows = arena.allocate(slice.elementBytes(), 64);
            reader.read(slice, rows);
            pack(weight, layout, target, slice.elementBytes(), threads, (offset, length, chunk) -> rows.asSlice(offset, length));
        }
    }

    private static void pack(WeightLayout.Weight weight, WeightLayout layout, MemorySegment target, long bytes, int threads,
            Rows rows) {
        long rowBytes = bytes / weight.rows();
        long together = layout.rowsTogether();
        int step = Math.toIntExact(Math.min(Math.ceilDiv(CHUNK_BYTES, rowBytes * together) * together,
                Math.ceilDiv(weight.rows(), together) * together));
        int chunks = Math.ceilDiv(weight.rows(), step);
        var next = new AtomicInteger();
        parallel(Math.min(threads, chunks), () -> {
            for (int chunk = next.getAndIncrement(); chunk < chunks; chunk = next.getAndIncrement()) {
                int from = chunk * step;
                int count = Math.min(step, weight.rows() - from);
                try (Arena window = Arena.ofConfined()) {
                    layout.pack(rows.get(from * rowBytes, count * rowBytes, window), count,
                            target.asSlice(from == 0 ? 0 : layout.bytes(from), layout.bytes(count)));
                }
            }
        });
    }

    /** The calling thread and others do the same work until it is done; what one of them throws is thrown here. */
    static void parallel(int threads, Runnable work) {
        var tasks = new ArrayList<FutureTask<Void>>();
        for (int i = 1; i < threads; i++) {
            var task = new FutureTask<Void>(work, null);
            tasks.add(task);
            Thread.ofPlatform().name("pack-" + i).daemon().start(task);
        }
        try {
            work.run();
        } finally {
            tasks.forEach(SlicePacker::await);
        }
    }

    private static void await(FutureTask<Void> task) {
        try {
            task.get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof ManipleException known
                    ? known
                    : new CheckpointException("weights cannot be packed: " + e.getCause(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CheckpointException("weights are no longer packed, because this rank ends", e);
        }
    }
}
