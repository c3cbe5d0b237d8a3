package org.maniple.kernel.load;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.maniple.api.tensor.WeightLayout;

/**
 * Packs slices by several threads, each some rows at a time. What it reads is mapped for as long as those rows take, so that no more of the checkpoint
 * stays in this process than is being packed. Safe for use by several threads.
 */
final class SlicePacker {

    /** Rows are packed by as many bytes as fit into a cache. */
    private static final long CHUNK_BYTES = 1 << 20;

    private final WeightSource source;
    private final SliceReader reader;

    SlicePacker(WeightSource source, SliceReader reader) {
        this.source = source;
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
                    (offset, length, arena) -> source.map(slice.tensor(), first + offset, length, arena));
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
        Parallel.run(threads, Math.ceilDiv(weight.rows(), step), chunk -> {
            int from = chunk * step;
            int count = Math.min(step, weight.rows() - from);
            try (Arena window = Arena.ofConfined()) {
                layout.pack(rows.get(from * rowBytes, count * rowBytes, window), count,
                        target.asSlice(from == 0 ? 0 : layout.bytes(from), layout.bytes(count)));
            }
        });
    }
}
