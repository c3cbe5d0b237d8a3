package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Optional;
import org.maniple.api.tensor.BlockRows;
import org.maniple.api.tensor.DType;

/** Products of {@link QuantizedRows} with {@link InterleavedRows}: with few rows of activations, lanes are rows of weights. */
final class InterleavedProduct implements Product, ManyRows.Weights {

    private static final int GROUP = InterleavedRows.GROUP;
    private static final int ROWS = InterleavedRows.ROWS;
    /** Blocks that stay in the first cache while all vectors of a group pass over them. */
    private static final int CHUNK = 64;
    /** Rows of activations from which on they are multiplied as many: codes of four bits are multiplied about as fast as they are. */
    private static final int MANY = 16;
    private static final int MANY_OF_BYTES = 10;

    private final InterleavedRows layout;
    private final QuantizedRows input;
    private final int columns;
    private final int[] leafEnds;
    /** Floats of a block of activations, as few rows of them are multiplied. */
    private final int factors;
    /** Rows of activations from which on they are multiplied as many. */
    private final int least;
    private final ManyRows many;

    /**
     * Products.
     *
     * @param layout of the weights
     * @param rows how rows are held
     * @param leafEnds where leaves end, in elements of a row that are its own
     */
    InterleavedProduct(InterleavedRows layout, BlockRows rows, int[] leafEnds) {
        boolean bytes = layout.type() == DType.Q8_0;
        this.layout = layout;
        this.input = new QuantizedRows(rows, bytes ? QuantizedRows.Few.EIGHT_BITS : QuantizedRows.Few.FOUR_BITS);
        this.columns = leafEnds[leafEnds.length - 1];
        this.leafEnds = BlockLeaves.ends(rows, leafEnds);
        this.factors = bytes ? PairFactors.EIGHT_BITS : PairFactors.FOUR_BITS;
        this.least = bytes ? MANY_OF_BYTES : MANY;
        this.many = new ManyRows(this, input, BlockUnpacker.ACTIVATIONS, layout.blocks(), layout.minima(), this.leafEnds);
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
        return layout.rowBytes();
    }

    /** As many as {@link ManyRows} likes to have at once; few rows of activations pass over two groups at a time. */
    @Override
    public int chunkBytes() {
        return 1 << 20;
    }

    @Override
    public int rowsTogether() {
        return ROWS;
    }

    @Override
    public long panelBytes() {
        return 0;
    }

    @Override
    public int panelFloats() {
        return Math.max(end(), many.floats());
    }

    // The floats: factors of rows of activations, and results of leaves.

    private int rowFactors() {
        return factors * layout.blocks();
    }

    private int end() {
        return results() + leafEnds.length * ROWS;
    }

    private int results() {
        return (least - 1) * rowFactors();
    }

    @Override
    public void compute(MemorySegment w, long firstRow, MemorySegment factors, int columns, MemorySegment x, long xAt,
            long xStride, int xRow, int xRows, MemorySegment out, long outAt, long outStride, Scratch scratch) {
        if (firstRow % ROWS != 0) {
            throw new IllegalArgumentException("row " + firstRow + " does not begin two groups of " + GROUP);
        }
        float[] floats = scratch.floats();
        int whole = xRows % QuantizedRows.PAIRS >= least ? xRows : xRows - xRows % QuantizedRows.PAIRS;
        if (whole > 0) {
            many.compute(w, firstRow, columns, x, xAt, xRow, whole, out, outAt, outStride, scratch);
        }
        for (int m = whole; m < xRows; m++) {
            MemorySegment.copy(x, JAVA_FLOAT_UNALIGNED, input.few(xAt, xRow + m), floats, (m - whole) * rowFactors(),
                    rowFactors());
        }
        for (int n = 0; n < columns; n += ROWS) {
            for (int m = whole; m < xRows; m++) {
                row(w, (firstRow + n) / GROUP * layout.groupBytes(), floats, (m - whole) * rowFactors());
                MemorySegment.copy(floats, results(), out, JAVA_FLOAT_UNALIGNED, outAt + m * outStride + 4L * n,
                        Math.min(ROWS, columns - n));
            }
        }
    }

    /** Multiplies a row of activations with two groups. */
    private void row(MemorySegment w, long group, float[] floats, int x) {
        Arrays.fill(floats, results(), end(), 0f);
        int start = 0;
        for (int leaf = 0; leaf < leafEnds.length; leaf++) {
            for (int from = start; from < leafEnds[leaf]; from += CHUNK) {
                int taken = Math.min(CHUNK, leafEnds[leaf] - from);
                for (int part = 0; part < GROUP; part += Lanes.L) {
                    add(w, group, from, part, taken, floats, x + factors * from, results() + leaf * ROWS + part);
                }
            }
            start = leafEnds[leaf];
        }
        tree(floats, results());
    }

    /** Adds what some blocks contribute to a vector of results of each group. */
    private void add(MemorySegment w, long group, int from, int part, int taken, float[] floats, int x, int to) {
        long codes = group + (long) GROUP * layout.codeBytes() * from + 4L * part;
        long block = group + InterleavedRows.SCALES * from + 4L * part;
        long scales = block + layout.scalesAt();
        long next = layout.groupBytes();
        if (layout.type() == DType.Q8_0) {
            InterleavedKernels.eightBits(w, codes, scales, next, floats, x, taken, floats, to, to + GROUP);
        } else if (layout.minima()) {
            InterleavedKernels.fourBitsWithMinima(w, codes, scales, block + layout.minimaAt(), next, floats, x, taken, floats, to,
                    to + GROUP);
        } else {
            InterleavedKernels.fourBits(w, codes, scales, next, floats, x, taken, floats, to, to + GROUP);
        }
    }

    /** Adds the results of leaves pairwise. */
    private void tree(float[] floats, int at) {
        for (int width = 1; width < leafEnds.length; width *= 2) {
            for (int leaf = 0; leaf < leafEnds.length; leaf += 2 * width) {
                for (int i = 0; i < ROWS; i++) {
                    floats[at + leaf * ROWS + i] += floats[at + (leaf + width) * ROWS + i];
                }
            }
        }
    }

    @Override
    public void begin(MemorySegment w, long row, int count, float[] scales, int minima, Scratch scratch) {
        for (int r = 0; r < count; r += GROUP) {
            long group = (row + r) / GROUP * layout.groupBytes();
            for (int block = 0; block < layout.blocks(); block++) {
                long at = group + InterleavedRows.SCALES * block;
                MemorySegment.copy(w, JAVA_FLOAT_UNALIGNED, at + layout.scalesAt(), scales, ManyRows.ROWS * block + r, GROUP);
                if (layout.minima()) {
                    MemorySegment.copy(w, JAVA_FLOAT_UNALIGNED, at + layout.minimaAt(), scales,
                            minima + ManyRows.ROWS * block + r, GROUP);
                }
            }
        }
    }

    @Override
    public void floats(MemorySegment w, long begin, int row, int count, int first, int runs, float[] floats, int to,
            Scratch scratch) {
        for (int r = 0; r < count; r += GROUP) {
            long codes = (begin + row + r) / GROUP * layout.groupBytes() + (long) GROUP * layout.codeBytes() * first;
            for (int part = 0; part < GROUP; part += Lanes.L) {
                if (layout.type() == DType.Q8_0) {
                    InterleavedKernels.eightBitsAsFloats(w, codes + 4L * part, runs, floats, to + r * ManyRows.CHUNK + part);
                } else {
                    InterleavedKernels.fourBitsAsFloats(w, codes + 4L * part, layout.offset(), runs, floats,
                            to + r * ManyRows.CHUNK + part);
                }
            }
        }
    }

    @Override
    public void tile(float[] floats, int at, int row, MemorySegment x, long xAt, long next, int runs, int sums) {
        InterleavedKernels.tile(floats, at + (row & -GROUP) * ManyRows.CHUNK + (row & GROUP - 1), x, xAt, next, runs, floats,
                sums);
    }

    @Override
    public void widen(MemorySegment w, long row, MemorySegment factors, MemorySegment out, long to, Scratch scratch) {
        throw new IllegalStateException("rows of " + layout.name() + " are widened by products with floats");
    }
}
