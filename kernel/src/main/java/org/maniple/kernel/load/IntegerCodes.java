package org.maniple.kernel.load;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** The mapped codes and zero points of a weight of {@link PackedIntegers}. Codes are unsigned. */
interface IntegerCodes {

    /** The codes of eight columns of a row, the first in the lowest byte; the first column is a multiple of eight. */
    long eight(int row, int column);

    /** The code of one column. */
    int one(int row, int column);

    /** The zero point of a group of a row. */
    int zero(int row, int group);

    /** Four bits each of a word as eight bytes. */
    private static long spread(int word) {
        return Long.expand(word & 0xffffffffL, 0x0f0f0f0f0f0f0f0fL);
    }

    /** A field of a word. */
    private static int field(int word, int bits, int index) {
        return word >>> bits * index & (1 << bits) - 1;
    }

    /**
     * GPTQ.
     *
     * @param words I32 {@code [columns · bits / 32, rows]}
     * @param zeros I32 {@code [groups, rows · bits / 32]}
     */
    record Gptq(MemorySegment words, MemorySegment zeros, int bits, int rows, int offset) implements IntegerCodes {
        @Override
        public long eight(int row, int column) {
            if (bits == 4) {
                return spread(words.get(JAVA_INT_UNALIGNED, 4L * ((long) (column / 8) * rows + row)));
            }
            long at = 4L * ((long) (column / 4) * rows + row);
            return words.get(JAVA_INT_UNALIGNED, at) & 0xffffffffL
                    | (long) words.get(JAVA_INT_UNALIGNED, at + 4L * rows) << 32;
        }

        @Override
        public int one(int row, int column) {
            int together = 32 / bits;
            return field(words.get(JAVA_INT_UNALIGNED, 4L * ((long) (column / together) * rows + row)), bits, column % together);
        }

        @Override
        public int zero(int row, int group) {
            int together = 32 / bits;
            long at = 4L * ((long) group * (rows / together) + row / together);
            // Zero is stored as what is one less than it, of as many bits.
            return field(zeros.get(JAVA_INT_UNALIGNED, at), bits, row % together) + offset & (1 << bits) - 1;
        }
    }

    /**
     * AWQ.
     *
     * @param words I32 {@code [columns, rows / 8]}
     * @param zeros I32 {@code [groups, rows / 8]}
     */
    record Awq(MemorySegment words, MemorySegment zeros, int rows) implements IntegerCodes {
        /** Where in a word the code of each of eight rows is: rows 0, 2, 4, 6, 1, 3, 5, 7 follow each other. */
        private static final int PLACES = 0x73625140;

        private static int place(int row) {
            return field(PLACES, 4, row % 8);
        }

        @Override
        public long eight(int row, int column) {
            int shift = 4 * place(row);
            long at = 4L * ((long) column * (rows / 8) + row / 8);
            long codes = 0;
            for (int i = 0; i < 8; i++) {
                codes |= (words.get(JAVA_INT_UNALIGNED, at + 4L * i * (rows / 8)) >>> shift & 15L) << 8 * i;
            }
            return codes;
        }

        @Override
        public int one(int row, int column) {
            return field(words.get(JAVA_INT_UNALIGNED, 4L * ((long) column * (rows / 8) + row / 8)), 4, place(row));
        }

        @Override
        public int zero(int row, int group) {
            return field(zeros.get(JAVA_INT_UNALIGNED, 4L * ((long) group * (rows / 8) + row / 8)), 4, place(row));
        }
    }

    /**
     * compressed-tensors, several codes in a word.
     *
     * @param words I32 {@code [rows, width]}
     * @param width words of a row
     */
    record Packed(MemorySegment words, int width, ZeroPoints zeros, int bits) implements IntegerCodes {
        @Override
        public long eight(int row, int column) {
            long at = 4L * ((long) row * width + column * bits / 32);
            return bits == 4 ? spread(words.get(JAVA_INT_UNALIGNED, at)) : words.get(JAVA_LONG_UNALIGNED, at);
        }

        @Override
        public int one(int row, int column) {
            int together = 32 / bits;
            return field(words.get(JAVA_INT_UNALIGNED, 4L * ((long) row * width + column / together)), bits, column % together);
        }

        @Override
        public int zero(int row, int group) {
            return zeros.at(row, group);
        }
    }

    /**
     * compressed-tensors, a code in a byte.
     *
     * @param bytes I8 {@code [rows, columns]}
     */
    record Bytes(MemorySegment bytes, int columns, ZeroPoints zeros) implements IntegerCodes {
        @Override
        public long eight(int row, int column) {
            return bytes.get(JAVA_LONG_UNALIGNED, (long) row * columns + column) ^ 0x8080808080808080L;
        }

        @Override
        public int one(int row, int column) {
            return bytes.get(JAVA_BYTE, (long) row * columns + column) + 128;
        }

        @Override
        public int zero(int row, int group) {
            return zeros.at(row, group);
        }
    }

    /** The zero points of compressed-tensors. */
    interface ZeroPoints {
        /** The zero point of a group of a row, as unsigned codes count. */
        int at(int row, int group);

        /** In a word those of several rows. */
        static ZeroPoints packed(MemorySegment words, int bits, int groups) {
            int together = 32 / bits;
            return (row, group) -> field(words.get(JAVA_INT_UNALIGNED, 4L * ((long) (row / together) * groups + group)), bits,
                    row % together);
        }

        /** Signed bytes. */
        static ZeroPoints bytes(MemorySegment bytes, int middle, int groups) {
            return (row, group) -> bytes.get(JAVA_BYTE, (long) row * groups + group) + middle;
        }
    }
}
