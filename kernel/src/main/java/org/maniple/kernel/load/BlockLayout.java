package org.maniple.kernel.load;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.TensorView.StoredDim;
import org.maniple.api.tensor.BlockRows;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.UnitList;

/**
 * Where a slice of a weight of a block type lies. Rows are cut anywhere; of a row the rank holds every block that has an element of the slice, whole, so
 * that two ranks may hold the block in which their slices meet.
 */
final class BlockLayout {

    private final DType type;
    private final SliceLayout rows;
    private final BlockRows columns;
    /** First block of a stored row, and the one after the last, of each run of blocks that is held. */
    private final List<long[]> held;
    private final long storedBlocks;

    private BlockLayout(DType type, SliceLayout rows, BlockRows columns, List<long[]> held, long storedBlocks) {
        this.type = type;
        this.rows = rows;
        this.columns = columns;
        this.held = held;
        this.storedBlocks = storedBlocks;
    }

    /**
     * @param type a block type
     * @param dims the dimensions of the slice: first those of rows, then those of columns; see {@link ScaleLayout#columns}
     * @param stored the stored dimensions, the last one whole blocks
     * @param units the units of each axis
     */
    static BlockLayout of(DType type, List<Dim> dims, List<StoredDim> stored, Map<Axis, UnitList> units) {
        int split = dims.size() - ScaleLayout.columns(dims, stored).orElseThrow();
        var held = new ArrayList<long[]>();
        var runs = new ArrayList<BlockRows.Run>();
        SliceLayout.of(dims.subList(split, dims.size()), List.of(stored.getLast()), units)
                .forEachRun((from, to, count) -> add(type.blockElements(), from, Math.toIntExact(to), count, held, runs));
        int blocks = held.stream().mapToInt(range -> Math.toIntExact(range[1] - range[0])).sum();
        return new BlockLayout(type,
                SliceLayout.of(dims.subList(0, split), stored.subList(0, stored.size() - 1), units),
                new BlockRows(Math.multiplyExact(blocks, type.blockElements()), runs), held,
                stored.getLast().extent() / type.blockElements());
    }

    private static void add(int block, long stored, int own, long count, List<long[]> held, List<BlockRows.Run> runs) {
        long first = stored / block;
        long after = Math.ceilDiv(stored + count, block);
        if (held.isEmpty() || first > held.getLast()[1]) {
            held.add(new long[] {first, after});
        } else {
            held.getLast()[1] = Math.max(held.getLast()[1], after);
        }
        long before = held.stream().limit(held.size() - 1L).mapToLong(range -> range[1] - range[0]).sum();
        int at = Math.toIntExact(before * block + stored - held.getLast()[0] * block);
        BlockRows.Run last = runs.isEmpty() ? null : runs.getLast();
        if (last != null && last.held() + last.count() == at) {
            runs.set(runs.size() - 1, new BlockRows.Run(last.held(), last.from(), last.count() + Math.toIntExact(count)));
        } else {
            runs.add(new BlockRows.Run(at, own, Math.toIntExact(count)));
        }
    }

    DType type() {
        return type;
    }

    /** How a row is held. */
    BlockRows columns() {
        return columns;
    }

    /** Rows of the slice. */
    long rows() {
        return rows.elements();
    }

    /** Bytes of the slice. */
    long bytes() {
        return Math.multiplyExact(rows(), type.bytes((long) columns.held()));
    }

    /** The first stored byte, if the slice is stored in one piece; otherwise -1. */
    long contiguous() {
        if (held.size() != 1) {
            return -1;
        }
        long first = rows.contiguous();
        boolean all = held.getFirst()[1] - held.getFirst()[0] == storedBlocks;
        return first >= 0 && (all || rows() == 1) ? (first * storedBlocks + held.getFirst()[0]) * type.blockBytes() : -1;
    }

    /** The stored bytes from the first to after the last that the slice has. */
    long[] span() {
        long[] span = rows.span();
        return new long[] {(span[0] * storedBlocks + held.getFirst()[0]) * type.blockBytes(),
            ((span[1] - 1) * storedBlocks + held.getLast()[1]) * type.blockBytes()};
    }

    /** Visits the slice in its own order, in bytes. */
    void forEachRun(SliceLayout.Run run) {
        long blockBytes = type.blockBytes();
        long rowBytes = type.bytes((long) columns.held());
        boolean whole = columns.held() == storedBlocks * type.blockElements();
        rows.forEachRun((stored, row, count) -> {
            if (whole) {
                run.copy(stored * rowBytes, row * rowBytes, count * rowBytes);
                return;
            }
            for (long i = 0; i < count; i++) {
                long to = (row + i) * rowBytes;
                for (long[] range : held) {
                    long length = (range[1] - range[0]) * blockBytes;
                    run.copy(((stored + i) * storedBlocks + range[0]) * blockBytes, to, length);
                    to += length;
                }
            }
        });
    }
}
