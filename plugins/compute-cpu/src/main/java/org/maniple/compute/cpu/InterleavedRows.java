package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Locale;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.WeightLayout;

/**
 * Rows of Q8_0, Q4_0 or Q4_1 in groups of {@value #GROUP}, so that a vector has the codes of as many rows and nothing must be summed across it.
 * Of a group follow: block by block of each four bytes of codes those of all rows, where codes of Q8_0 are 128 more than they are; the scales,
 * F32, block by block those of all rows; the minima likewise, if there are some. There are always two groups together. Rows that are missing in
 * the last ones are zeros.
 *
 * @param type one of these types
 * @param blocks of a row
 */
record InterleavedRows(DType type, int blocks) implements WeightLayout, DecodedProduct.Source {

    /** Rows of a group. */
    static final int GROUP = Lanes.COUNT;
    /** Rows of two groups. */
    static final int ROWS = 2 * GROUP;
    /** Bytes of the scales of a block. */
    static final long SCALES = 4L * GROUP;
    private static final int VERSION = 2;
    /** Bytes of a row that are held together. */
    private static final int TOGETHER = 4;
    private static final int OFFSET = 128;
    private static final int BLOCK = BlockUnpacker.ACTIVATIONS;

    /** Whether rows of a type can be held so. */
    static boolean holds(DType type) {
        return type == DType.Q8_0 || type == DType.Q4_0 || type == DType.Q4_1;
    }

    @Override
    public String name() {
        return type.name().toLowerCase(Locale.ROOT) + "-vector-api-" + VERSION;
    }

    @Override
    public int rowsTogether() {
        return ROWS;
    }

    @Override
    public long bytes(int rows) {
        return 2L * Math.ceilDiv(rows, ROWS) * groupBytes();
    }

    /** Bytes of a group. */
    long groupBytes() {
        return minimaAt() + (minima() ? SCALES * blocks : 0);
    }

    /** Where the scales of a group begin, {@value #SCALES} bytes for each block. */
    long scalesAt() {
        return (long) GROUP * codeBytes() * blocks;
    }

    /** Where the minima of a group begin, likewise. */
    long minimaAt() {
        return scalesAt() + SCALES * blocks;
    }

    /** Whether there are minima. */
    boolean minima() {
        return type == DType.Q4_1;
    }

    /** Bytes of the codes of a block of a row. */
    int codeBytes() {
        return type == DType.Q8_0 ? BLOCK : BLOCK / 2;
    }

    @Override
    public void pack(MemorySegment source, int rows, MemorySegment target) {
        target.asSlice(0, bytes(rows)).fill((byte) 0);
        var unpacker = new ScaledBlocks(type);
        float[] factors = new float[2 * blocks];
        int codes = type.blockBytes() - codeBytes();
        for (int row = 0; row < rows; row++) {
            long from = (long) row * blocks * type.blockBytes();
            unpacker.scales(source, from, blocks, factors, 0, blocks, 1);
            for (int block = 0; block < blocks; block++) {
                long to = row / GROUP * groupBytes();
                int lane = row % GROUP;
                target.set(JAVA_FLOAT_UNALIGNED, to + scalesAt() + SCALES * block + 4L * lane, factors[block]);
                if (minima()) {
                    target.set(JAVA_FLOAT_UNALIGNED, to + minimaAt() + SCALES * block + 4L * lane, factors[blocks + block]);
                }
                for (int i = 0; i < codeBytes(); i++) {
                    byte code = source.get(JAVA_BYTE, from + (long) block * type.blockBytes() + codes + i);
                    target.set(JAVA_BYTE, to + place(codeBytes() * block + i, lane), (byte) (code ^ flipped()));
                }
            }
        }
    }

    /** Where a byte of codes of a row is in its group. */
    private static long place(int index, int lane) {
        return (long) GROUP * (index & -TOGETHER) + (long) TOGETHER * lane + index % TOGETHER;
    }

    /** Bits of a byte of codes that are held as their opposites. */
    private int flipped() {
        return type == DType.Q8_0 ? OFFSET : 0;
    }

    /** How much more codes are, as they are held, than they stand for, apart from minima. */
    int offset() {
        return type == DType.Q8_0 ? OFFSET : type == DType.Q4_0 ? 8 : 0;
    }

    @Override
    public long rowBytes() {
        return groupBytes() / GROUP;
    }

    @Override
    public long bytes() {
        return 0;
    }

    @Override
    public int floats() {
        return 0;
    }

    @Override
    public void decode(MemorySegment w, long row, MemorySegment out, long to, MemorySegment room, long roomAt, float[] scales) {
        int lane = (int) (row % GROUP);
        for (int block = 0; block < blocks; block++) {
            long at = row / GROUP * groupBytes();
            float scale = w.get(JAVA_FLOAT_UNALIGNED, at + scalesAt() + SCALES * block + 4L * lane);
            float minimum = minima() ? w.get(JAVA_FLOAT_UNALIGNED, at + minimaAt() + SCALES * block + 4L * lane) : 0;
            for (int i = 0; i < BLOCK; i++) {
                float product = code(w, at, block, lane, i) * scale;
                out.set(JAVA_FLOAT_UNALIGNED, to + 4L * (BLOCK * block + i), minima() ? product + minimum : product);
            }
        }
    }

    private int code(MemorySegment w, long group, int block, int lane, int i) {
        int held = w.get(JAVA_BYTE, group + place(codeBytes() * block + i % codeBytes(), lane)) & 0xff;
        if (type != DType.Q8_0) {
            held = i < BLOCK / 2 ? held & 15 : held >> 4;
        }
        return held - offset();
    }
}
