package org.maniple.kernel.load;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.TensorView.StoredDim;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.UnitList;

/**
 * Which factor the elements of a slice of an FP8 weight have. An element's factor is the one of its <em>stored</em> row and column, so a
 * slice may begin within a block, or leave rows and columns out: the slice gets a factor for each of its rows and each run of its columns
 * that lie in one stored block. (Row blocks are given up for that: 3 % more bytes, and kernels need to know nothing about them.)
 */
final class ScaleLayout {

    private final SliceLayout rows;
    private final List<Integer> ends = new ArrayList<>();
    private final List<Integer> columnBlocks = new ArrayList<>();
    private final long storedRows;
    private final long storedColumns;
    private final Quantization quantization;

    private ScaleLayout(SliceLayout rows, SliceLayout columns, List<StoredDim> stored, Quantization quantization) {
        this.rows = rows;
        this.storedRows = stored.get(stored.size() - 2).extent();
        this.storedColumns = stored.getLast().extent();
        this.quantization = quantization;
        columns.forEachRun(this::addColumns);
    }

    /**
     * @param dims the dimensions of the slice: first those of rows, then those of columns; see {@link #columns}
     * @param stored at least two stored dimensions
     * @param units the units of each axis
     */
    static ScaleLayout of(List<Dim> dims, List<StoredDim> stored, Map<Axis, UnitList> units, Quantization quantization) {
        int columns = columns(dims, stored).orElseThrow();
        int split = dims.size() - columns;
        return new ScaleLayout(SliceLayout.of(dims.subList(0, split), stored.subList(0, stored.size() - 1), units),
                SliceLayout.of(dims.subList(split, dims.size()), List.of(stored.getLast()), units), stored, quantization);
    }

    /** How many of the last dimensions are columns: those of the last stored dimension. Empty if rows and columns are not in stored order. */
    static Optional<Integer> columns(List<Dim> dims, List<StoredDim> stored) {
        int columns = 0;
        while (columns < dims.size() && in(stored.getLast(), dims.get(dims.size() - 1 - columns))) {
            columns++;
        }
        boolean more = dims.subList(0, dims.size() - columns).stream().anyMatch(d -> in(stored.getLast(), d));
        return columns == 0 || more ? Optional.empty() : Optional.of(columns);
    }

    private static boolean in(StoredDim stored, Dim dim) {
        return stored.factors().stream().anyMatch(f -> f.axis().equals(Optional.of(dim.axis())));
    }

    /** The shape of the tensor with the factors of a stored tensor. */
    static List<Long> shape(List<Long> stored, Quantization quantization) {
        var shape = new ArrayList<>(stored);
        int last = shape.size() - 1;
        shape.set(last, blocks(shape.get(last), quantization.blockColumns()));
        shape.set(last - 1, blocks(shape.get(last - 1), quantization.blockRows()));
        return shape;
    }

    private static long blocks(long extent, int block) {
        return (extent + block - 1) / block;
    }

    private void addColumns(long stored, long column, long count) {
        int block = quantization.blockColumns();
        for (long at = 0; at < count;) {
            long here = (stored + at) / block;
            long next = Math.min(count, (here + 1) * block - stored);
            int end = Math.toIntExact(column + next);
            if (!columnBlocks.isEmpty() && columnBlocks.getLast() == here) {
                ends.set(ends.size() - 1, end);
            } else {
                ends.add(end);
                columnBlocks.add(Math.toIntExact(here));
            }
            at = next;
        }
    }

    /** Where the blocks of a row of the slice end. */
    List<Integer> ends() {
        return ends;
    }

    /** The factors of the slice. */
    long factors() {
        return Math.multiplyExact(rows.elements(), ends.size());
    }

    /** The stored factors that the slice needs. */
    long storedFactors() {
        long perTensor = blocks(storedRows, quantization.blockRows());
        var rowBlocks = new HashSet<Long>();
        rows.forEachRun((stored, row, count) -> {
            for (long at = stored; at < stored + count; at += quantization.blockRows()) {
                rowBlocks.add(block(at, perTensor));
            }
            rowBlocks.add(block(stored + count - 1, perTensor));
        });
        return rowBlocks.size() * columnBlocks.stream().distinct().count();
    }

    private long block(long row, long perTensor) {
        return row / storedRows * perTensor + row % storedRows / quantization.blockRows();
    }

    /**
     * Writes the factors of the slice.
     *
     * @param source all stored factors
     * @param type F32, F16 or BF16
     * @param target gets F32 {@code [rows, blocks]}
     */
    void expand(MemorySegment source, DType type, MemorySegment target) {
        long perTensor = blocks(storedRows, quantization.blockRows());
        long width = blocks(storedColumns, quantization.blockColumns());
        rows.forEachRun((stored, row, count) -> {
            for (long i = 0; i < count; i++) {
                long block = block(stored + i, perTensor);
                for (int b = 0; b < columnBlocks.size(); b++) {
                    float factor = factor(source, type, block * width + columnBlocks.get(b));
                    target.set(JAVA_FLOAT_UNALIGNED, 4 * ((row + i) * columnBlocks.size() + b), factor);
                }
            }
        });
    }

    private static float factor(MemorySegment source, DType type, long index) {
        return switch (type) {
            case F32 -> source.get(JAVA_FLOAT_UNALIGNED, 4 * index);
            case F16 -> Float.float16ToFloat(source.get(JAVA_SHORT_UNALIGNED, 2 * index));
            default -> Float.intBitsToFloat(source.get(JAVA_SHORT_UNALIGNED, 2 * index) << 16);
        };
    }
}
