package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Optional;
import org.maniple.api.tensor.BlockRows;

/**
 * Products of {@link QuantizedRows} with weights of a block type as they are stored. Rows of weights are taken apart once for all rows of
 * activations. With few of those, the sums of a block are formed across its elements, and then belong to lanes by rows of weights; with many,
 * lanes are rows of activations from the start. Sums of blocks are exact, and what follows has one order, so that both give the same bits.
 */
final class BlockProduct implements Product, ManyRows.Weights {

    /** Rows of weights that are taken apart at once for few rows of activations. */
    private static final int FEW_ROWS = Lanes.COUNT;
    /** Runs of them whose products are summed at once. */
    private static final int FEW_RUNS = 64;

    /** What few rows of activations are multiplied with: codes that were taken apart, or blocks as they are stored. */
    private enum Multiplier {
        BYTES, Q8_0, Q4_0, Q4_1
    }

    private final BlockUnpacker unpacker;
    private final QuantizedRows input;
    private final int columns;
    private final int held;
    private final int run;
    private final int runs;
    /** Where leaves end, in runs. */
    private final int[] leafEnds;
    private final int blocks;
    private final long rowBytes;
    private final ManyRows many;
    private final Multiplier multiplier;
    /** What codes have too much, as they are multiplied. */
    private final int offset;

    /**
     * Products.
     *
     * @param unpacker for the type
     * @param rows how rows are held
     * @param leafEnds where leaves end, in elements of a row that are its own
     */
    BlockProduct(BlockUnpacker unpacker, BlockRows rows, int[] leafEnds) {
        this.unpacker = unpacker;
        this.input = new QuantizedRows(rows, QuantizedRows.Few.SHORTS);
        this.columns = leafEnds[leafEnds.length - 1];
        this.held = rows.held();
        this.run = unpacker.run();
        this.runs = held / run;
        this.leafEnds = Arrays.stream(BlockLeaves.ends(rows, leafEnds)).map(end -> end * BlockUnpacker.ACTIVATIONS / run)
                .toArray();
        this.blocks = held / unpacker.type().blockElements();
        this.rowBytes = unpacker.type().bytes(held);
        this.many = new ManyRows(this, input, run, runs, unpacker.minima(), this.leafEnds);
        this.multiplier = switch (unpacker.type()) {
            case Q8_0 -> Multiplier.Q8_0;
            case Q4_0 -> Multiplier.Q4_0;
            case Q4_1 -> Multiplier.Q4_1;
            default -> Multiplier.BYTES;
        };
        this.offset = multiplier == Multiplier.Q4_0 ? 8 : 0;
    }

    @Override
    public Optional<Preparation> preparation() {
        return Optional.of(input);
    }

    @Override
    public int count() {
        return columns;
    }

    @Override
    public long rowBytes() {
        return rowBytes;
    }

    @Override
    public int chunkBytes() {
        return 1 << 20;
    }

    /** The codes of rows of weights. */
    @Override
    public long panelBytes() {
        return (long) ManyRows.ROWS * held;
    }

    // The floats: scales and minima, by runs, of each its rows of weights; then the sums of runs, likewise, the results of leaves, and vectors that are
    // being summed.

    private int minima() {
        return runs * FEW_ROWS;
    }

    private int sums() {
        return 2 * runs * FEW_ROWS;
    }

    private int results() {
        return sums() + runs * FEW_ROWS;
    }

    private int between() {
        return results() + leafEnds.length * FEW_ROWS;
    }

    private int vectors() {
        return between() + 4 * BlockKernels.VECTOR;
    }

    @Override
    public int panelFloats() {
        return Math.max(vectors() + FEW_ROWS * FEW_RUNS * BlockKernels.VECTOR, many.floats());
    }

    @Override
    public void compute(MemorySegment w, long firstRow, MemorySegment factors, int columns, MemorySegment x, long xAt,
            long xStride, int xRow, int xRows, MemorySegment out, long outAt, long outStride, Scratch scratch) {
        if (xRows < QuantizedRows.MANY) {
            for (int n = 0; n < columns; n += FEW_ROWS) {
                few(w, firstRow + n, Math.min(FEW_ROWS, columns - n), x, xAt, xRow, xRows, out, outAt + 4L * n, outStride,
                        scratch);
            }
            return;
        }
        many.compute(w, firstRow, columns, x, xAt, xRow, xRows, out, outAt, outStride, scratch);
    }

    private void codes(MemorySegment w, long row, int count, MemorySegment panel) {
        for (int r = 0; r < count; r++) {
            unpacker.codes(w, (row + r) * rowBytes(), blocks, panel, (long) r * held);
        }
    }

    private void scales(MemorySegment w, long row, int count, int stride, float[] floats, int minima) {
        for (int r = 0; r < count; r++) {
            unpacker.scales(w, (row + r) * rowBytes(), blocks, floats, r, minima + r, stride);
        }
    }

    private void few(MemorySegment w, long row, int count, MemorySegment x, long xAt, int xRow, int xRows, MemorySegment out,
            long to, long outStride, Scratch scratch) {
        float[] floats = scratch.floats();
        MemorySegment codes = multiplier == Multiplier.BYTES ? scratch.panel() : w;
        long first = multiplier == Multiplier.BYTES ? 0 : row * rowBytes;
        long rowStride = multiplier == Multiplier.BYTES ? held : rowBytes;
        if (multiplier == Multiplier.BYTES) {
            codes(w, row, count, codes);
        }
        scales(w, row, count, FEW_ROWS, floats, minima());
        for (int m = 0; m < xRows; m++) {
            long xCodes = input.row(xAt, xRow + m);
            long xShorts = input.few(xAt, xRow + m);
            for (int i = 0; i < runs; i += FEW_RUNS) {
                int taken = Math.min(FEW_RUNS, runs - i);
                for (int r = 0; r < count; r++) {
                    multiply(codes, first + r * rowStride, i, taken, x, xShorts + 2L * run * i, floats,
                            vectors() + r * FEW_RUNS * BlockKernels.VECTOR);
                }
                BlockKernels.fold(floats, vectors(), FEW_RUNS * BlockKernels.VECTOR, taken, sums() + i * FEW_ROWS,
                        between());
                if (offset != 0) {
                    BlockKernels.offset(floats, sums() + i * FEW_ROWS, taken, offset, x, xCodes + input.sums() + 4L * i);
                }
            }
            for (int leaf = 0; leaf < leafEnds.length; leaf++) {
                add(x, xCodes, leaf == 0 ? 0 : leafEnds[leaf - 1], leafEnds[leaf], floats, results() + leaf * FEW_ROWS);
            }
            tree(floats, results(), FEW_ROWS);
            MemorySegment.copy(floats, results(), out, JAVA_FLOAT_UNALIGNED, to + m * outStride, count);
        }
    }

    /** Multiplies some runs of a row of weights, so that the sum of each vector is the sum of a run. */
    private void multiply(MemorySegment w, long row, int first, int taken, MemorySegment x, long xAt, float[] floats, int to) {
        switch (multiplier) {
            case BYTES -> {
                if (run == BlockUnpacker.ACTIVATIONS) {
                    BlockKernels.products(w, row + (long) first * run, x, xAt, taken, floats, to);
                } else {
                    BlockKernels.halfProducts(w, row + (long) first * run, x, xAt, taken, floats, to);
                }
            }
            case Q8_0 -> BlockKernels.eightBits(w, row + 34L * first + 2, x, xAt, taken, floats, to);
            case Q4_0 -> BlockKernels.fourBits(w, row + 18L * first + 2, 18, x, xAt, taken, floats, to);
            case Q4_1 -> BlockKernels.fourBits(w, row + 20L * first + 4, 20, x, xAt, taken, floats, to);
        }
    }

    /** Adds the sums of the runs of a leaf, for all rows of weights. */
    private void add(MemorySegment x, long xCodes, int from, int end, float[] floats, int to) {
        long scales = xCodes + input.scales();
        long totals = xCodes + (run == BlockUnpacker.ACTIVATIONS ? input.sums() : input.halves());
        int shift = run == BlockUnpacker.ACTIVATIONS ? 0 : 1;
        for (int part = 0; part < FEW_ROWS; part += Lanes.L) {
            if (unpacker.minima()) {
                BlockKernels.addWithMinima(floats, sums() + part, part, minima() + part, x, scales, totals, shift, from, end,
                        to + part);
            } else {
                BlockKernels.add(floats, sums() + part, part, x, scales, shift, from, end, to + part);
            }
        }
    }

    /** Adds the results of leaves pairwise. */
    private void tree(float[] floats, int at, int each) {
        for (int width = 1; width < leafEnds.length; width *= 2) {
            for (int leaf = 0; leaf < leafEnds.length; leaf += 2 * width) {
                int a = at + leaf * each;
                int b = a + width * each;
                for (int i = 0; i < each; i++) {
                    floats[a + i] += floats[b + i];
                }
            }
        }
    }

    @Override
    public void begin(MemorySegment w, long row, int count, float[] scales, int minima, Scratch scratch) {
        codes(w, row, count, scratch.panel());
        scales(w, row, count, ManyRows.ROWS, scales, minima);
    }

    @Override
    public void floats(MemorySegment w, long begin, int row, int count, int first, int runs, float[] floats, int to,
            Scratch scratch) {
        for (int r = 0; r < count; r++) {
            BlockKernels.floats(scratch.panel(), (long) (row + r) * held + (long) first * run, runs * run, floats,
                    to + r * ManyRows.CHUNK);
        }
    }

    @Override
    public void tile(float[] floats, int at, int row, MemorySegment x, long xAt, long next, int runs, int sums) {
        BlockKernels.tile(floats, at + row * ManyRows.CHUNK, ManyRows.CHUNK, x, xAt, next, run, runs, floats, sums);
    }

    @Override
    public void widen(MemorySegment w, long row, MemorySegment factors, MemorySegment out, long to, Scratch scratch) {
        throw new IllegalStateException("rows of " + unpacker.type() + " are widened by products with floats");
    }
}
