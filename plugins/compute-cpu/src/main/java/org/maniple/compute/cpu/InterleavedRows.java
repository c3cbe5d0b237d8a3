package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Locale;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.WeightLayout;

/**
 * Rows of Q8_0, Q4_0 or Q4_1 in groups of {@value #GROUP}, so that a vector has the codes of as many rows and nothing must be summed across it.
 * Of each block of a group follow: the scales of all rows, F32; the minima likewise, if there are some; then of each byte of codes that of all
 * rows. Rows that are missing in the last group are zeros.
 *
 * @param type one of these types
 * @param blocks of a row
 */
record InterleavedRows(DType type, int blocks) implements WeightLayout, DecodedProduct.Source {

    /** Rows of a group. */
    static final int GROUP = Lanes.COUNT;
    private static final int VERSION = 1;
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
        return GROUP;
    }

    @Override
    public long bytes(int rows) {
        return Math.ceilDiv(rows, GROUP) * groupBytes();
    }

    /** Bytes of a group. */
    long groupBytes() {
        return blocks * blockBytes();
    }

    /** Bytes of a block of a group. */
    long blockBytes() {
        return codesAt() + (long) GROUP * codeBytes();
    }

    /** Whether there are minima. */
    boolean minima() {
        return type == DType.Q4_1;
    }

    /** Where the codes of a block begin. */
    long codesAt() {
        return (minima() ? 8L : 4L) * GROUP;
    }

    /** Bytes of the codes of a block of a row. */
    private int codeBytes() {
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
                long to = row / GROUP * groupBytes() + block * blockBytes();
                int lane = row % GROUP;
                target.set(JAVA_FLOAT_UNALIGNED, to + 4L * lane, factors[block]);
                if (minima()) {
                    target.set(JAVA_FLOAT_UNALIGNED, to + 4L * (GROUP + lane), factors[blocks + block]);
                }
                for (int i = 0; i < codeBytes(); i++) {
                    target.set(JAVA_BYTE, to + codesAt() + (long) GROUP * i + lane,
                            source.get(JAVA_BYTE, from + (long) block * type.blockBytes() + codes + i));
                }
            }
        }
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
        long lane = row % GROUP;
        for (int block = 0; block < blocks; block++) {
            long at = row / GROUP * groupBytes() + block * blockBytes();
            float scale = w.get(JAVA_FLOAT_UNALIGNED, at + 4 * lane);
            float minimum = minima() ? w.get(JAVA_FLOAT_UNALIGNED, at + 4 * (GROUP + lane)) : 0;
            for (int i = 0; i < BLOCK; i++) {
                float product = code(w, at + codesAt() + lane, i) * scale;
                out.set(JAVA_FLOAT_UNALIGNED, to + 4L * (BLOCK * block + i), minima() ? product + minimum : product);
            }
        }
    }

    private int code(MemorySegment w, long codes, int i) {
        if (type == DType.Q8_0) {
            return w.get(JAVA_BYTE, codes + (long) GROUP * i);
        }
        int pair = w.get(JAVA_BYTE, codes + (long) GROUP * (i % (BLOCK / 2))) & 0xff;
        int code = i < BLOCK / 2 ? pair & 15 : pair >> 4;
        return minima() ? code : code - 8;
    }
}
