package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import org.jspecify.annotations.Nullable;
import org.maniple.api.tensor.BlockRows;

/**
 * Activations as integers with a scale for each 32 elements, see {@link ActivationForm#INT8}, as the products of the Vector API read them: the
 * integers are held in a form for few rows, and as floats, in which their products and the sums of a block are exact, for many. Each row is
 * written by itself; if there are many rows, {@value #GROUP} of them are also written together, element by element.
 */
final class QuantizedRows implements Preparation {

    /** What few rows are multiplied as. */
    enum Few {
        /** The integers as shorts. */
        SHORTS(2 * BlockUnpacker.ACTIVATIONS),
        /** For weights of four bits, see {@link PairFactors}. */
        FOUR_BITS(4 * PairFactors.FOUR_BITS),
        /** For weights of eight bits, see {@link PairFactors}. */
        EIGHT_BITS(4 * PairFactors.EIGHT_BITS);

        private final int blockBytes;

        Few(int blockBytes) {
            this.blockBytes = blockBytes;
        }
    }

    /** Elements of a block. */
    static final int BLOCK = BlockUnpacker.ACTIVATIONS;
    /** Rows that are written together. */
    static final int GROUP = Lanes.COUNT;
    /** Rows of two such groups. */
    static final int PAIRS = 2 * GROUP;
    /** Rows from which on they are written together. */
    static final int MANY = 6;
    /** What is added to a float for its fraction to be rounded away, of two nearest integers to the even one. */
    private static final float ROUND = 0x1.8p23f;
    private static final int SIZE = 0x7fffffff;

    private final BlockRows rows;
    private final Few few;
    private final int columns;

    /**
     * A preparation.
     *
     * @param rows how the weights hold rows
     * @param few what few rows are multiplied as
     */
    QuantizedRows(BlockRows rows, Few few) {
        this.rows = rows;
        this.few = few;
        this.columns = rows.columns();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof QuantizedRows same && rows.equals(same.rows) && few == same.few;
    }

    @Override
    public int hashCode() {
        return rows.hashCode();
    }

    @Override
    public int rowsTogether() {
        return GROUP;
    }

    int blocks() {
        return rows.held() / BLOCK;
    }

    /** Floats of one row: codes, scales, sums of blocks, sums of halves of blocks. */
    private int rowFloats() {
        return rows.held() + 4 * blocks();
    }

    @Override
    public long rowBytes() {
        return (8L * rowFloats() + (long) few.blockBytes * blocks() + 63) & -64;
    }

    /** Where a row begins, which it does with codes as floats. */
    long row(long at, int row) {
        return at + (row & -GROUP) * rowBytes() + 4L * (row & GROUP - 1) * rowFloats();
    }

    /** Where the form for few rows of a row begins. */
    long few(long at, int row) {
        return at + (row & -GROUP) * rowBytes() + 8L * GROUP * rowFloats()
                + (long) (row & GROUP - 1) * few.blockBytes * blocks();
    }

    /** Where the scales begin, from the beginning of a row on. */
    long scales() {
        return 4L * rows.held();
    }

    /** Where the sums of blocks begin, likewise. */
    long sums() {
        return scales() + 4L * blocks();
    }

    /** Where the sums of halves begin, likewise. */
    long halves() {
        return sums() + 4L * blocks();
    }

    /** Where the codes of the rows that are written together with one begin; the other parts follow as with single rows. */
    long groupCodes(long at, int row) {
        return at + (row & -GROUP) * rowBytes() + 4L * GROUP * rowFloats();
    }

    /** Bytes from the rows that are written together to the next ones. */
    long groupBytes() {
        return GROUP * rowBytes();
    }

    @Override
    public void prepare(MemorySegment x, int from, int to, int all, MemorySegment out, long at) {
        for (int row = from; row < to; row++) {
            long codes = row(at, row);
            hold(x, 4L * row * columns, out, codes);
            for (int block = 0; block < blocks(); block++) {
                quantize(out, codes + 4L * BLOCK * block, codes + scales() + 4L * block, codes + sums() + 4L * block,
                        codes + halves() + 8L * block);
            }
            switch (few) {
                case SHORTS -> narrow(out, codes, rows.held(), few(at, row));
                case FOUR_BITS -> PairFactors.fourBits(out, codes, codes + scales(), codes + sums(), blocks(), few(at, row));
                case EIGHT_BITS -> PairFactors.eightBits(out, codes, codes + scales(), blocks(), few(at, row));
            }
            if (all >= MANY) {
                long group = groupCodes(at, row) + 4L * (row & GROUP - 1);
                int count = rowFloats();
                for (int i = 0; i < count; i++) {
                    out.set(JAVA_INT_UNALIGNED, group + 4L * GROUP * i, out.get(JAVA_INT_UNALIGNED, codes + 4L * i));
                }
            }
        }
    }

    /** Makes codes shorts. */
    private static void narrow(MemorySegment codes, long at, int count, long to) {
        for (int i = 0; i < count; i += Lanes.L) {
            ((ShortVector) FloatVector.fromMemorySegment(Lanes.F, codes, at + 4L * i, LITTLE_ENDIAN)
                    .convertShape(VectorOperators.F2S, Lanes.S, 0)).intoMemorySegment(codes, to + 2L * i, LITTLE_ENDIAN);
        }
    }

    /** Puts the elements of a row where they are held, among zeros. */
    private void hold(MemorySegment x, long at, MemorySegment out, long to) {
        int end = 0;
        for (int i = 0; i < rows.runs().size(); i++) {
            BlockRows.Run run = rows.runs().get(i);
            zero(out, to, end, run.held());
            MemorySegment.copy(x, at + 4L * run.from(), out, to + 4L * run.held(), 4L * run.count());
            end = run.held() + run.count();
        }
        zero(out, to, end, rows.held());
    }

    private static void zero(MemorySegment out, long to, int from, int end) {
        for (int i = from; i < end; i++) {
            out.set(JAVA_FLOAT_UNALIGNED, to + 4L * i, 0f);
        }
    }

    /** Makes a block of floats integers, in place. What is not a number makes the scale none. */
    private static void quantize(MemorySegment x, long at, long scaleAt, long sumAt, long halvesAt) {
        float scale = Float.intBitsToFloat(greatest(x, at)) / 127;
        if (scale < Float.MIN_NORMAL) {
            scale = 0;
        }
        float inverse = scale == 0 ? 0 : 1 / scale;
        x.set(JAVA_FLOAT_UNALIGNED, scaleAt, scale);
        float first = round(x, at, inverse);
        float second = round(x, at + 2L * BLOCK, inverse);
        x.set(JAVA_FLOAT_UNALIGNED, sumAt, first + second);
        x.set(JAVA_FLOAT_UNALIGNED, halvesAt, first);
        x.set(JAVA_FLOAT_UNALIGNED, halvesAt + 4, second);
    }

    /** The bits of the greatest absolute value of a block; as integers they are ordered like the values. */
    private static int greatest(MemorySegment x, long at) {
        var greatest = IntVector.zero(Lanes.I);
        for (int i = 0; i < BLOCK; i += Lanes.L) {
            greatest = greatest.max(IntVector.fromMemorySegment(Lanes.I, x, at + 4L * i, LITTLE_ENDIAN)
                    .and(SIZE));
        }
        return greatest.reduceLanes(VectorOperators.MAX);
    }

    /** Makes half a block integers and sums them. */
    private static float round(MemorySegment x, long at, float inverse) {
        FloatVector sum = FloatVector.zero(Lanes.F);
        for (int i = 0; i < BLOCK / 2; i += Lanes.L) {
            FloatVector code = FloatVector.fromMemorySegment(Lanes.F, x, at + 4L * i, LITTLE_ENDIAN).mul(inverse).add(ROUND)
                    .sub(ROUND);
            code.intoMemorySegment(x, at + 4L * i, LITTLE_ENDIAN);
            sum = sum.add(code);
        }
        return sum.reduceLanes(VectorOperators.ADD);
    }
}
