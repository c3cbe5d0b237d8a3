package org.maniple.api.tensor;

import static org.maniple.api.tensor.BlockMemory.half;
import static org.maniple.api.tensor.BlockMemory.put;
import static org.maniple.api.tensor.BlockMemory.signed;
import static org.maniple.api.tensor.BlockMemory.unsigned;

import java.lang.foreign.MemorySegment;

/** Decodes blocks of 256 in which scales of 16 or 32 elements are quantised themselves. */
final class SuperBlocks {

    private static final int SUB = 16;
    private static final int SIZE = 256;

    private SuperBlocks() {}

    static void q2k(MemorySegment blocks, long at, MemorySegment out, long to) {
        float scale = half(blocks, at + 80);
        float minimum = half(blocks, at + 82);
        for (int sub = 0; sub < SIZE / SUB; sub++) {
            int factors = unsigned(blocks, at + sub);
            float own = scale * (factors & 15);
            float less = minimum * (factors >> 4);
            for (int i = 0; i < SUB; i++) {
                put(out, to, sub * SUB + i, own * twoBits(blocks, at + 16, sub, i) - less);
            }
        }
    }

    static void q3k(MemorySegment blocks, long at, MemorySegment out, long to) {
        float scale = half(blocks, at + 108);
        for (int sub = 0; sub < SIZE / SUB; sub++) {
            int low = unsigned(blocks, at + 96 + (sub & 7)) >> (sub < 8 ? 0 : 4) & 15;
            int high = unsigned(blocks, at + 104 + (sub & 3)) >> 2 * (sub >> 2) & 3;
            float own = scale * ((low | high << 4) - 32);
            for (int i = 0; i < SUB; i++) {
                int third = unsigned(blocks, at + (sub & 1) * (long) SUB + i) >> (sub >> 1) & 1;
                put(out, to, sub * SUB + i, own * (twoBits(blocks, at + 32, sub, i) - (third == 0 ? 4 : 0)));
            }
        }
    }

    /** A byte has the codes of four elements, 32 apart; those of elements 0 to 127 come first. */
    private static int twoBits(MemorySegment blocks, long codes, int sub, int i) {
        return unsigned(blocks, codes + (sub >> 3) * 32L + (sub & 1) * (long) SUB + i) >> (sub & 6) & 3;
    }

    static void q4k(MemorySegment blocks, long at, MemorySegment out, long to) {
        float scale = half(blocks, at);
        float minimum = half(blocks, at + 2);
        for (int sub = 0; sub < 8; sub++) {
            float own = scale * subScale(blocks, at + 4, sub);
            float less = minimum * subMinimum(blocks, at + 4, sub);
            for (int i = 0; i < 32; i++) {
                put(out, to, sub * 32 + i, own * fourBits(blocks, at + 16, sub, i) - less);
            }
        }
    }

    static void q5k(MemorySegment blocks, long at, MemorySegment out, long to) {
        float scale = half(blocks, at);
        float minimum = half(blocks, at + 2);
        for (int sub = 0; sub < 8; sub++) {
            float own = scale * subScale(blocks, at + 4, sub);
            float less = minimum * subMinimum(blocks, at + 4, sub);
            for (int i = 0; i < 32; i++) {
                int fifth = unsigned(blocks, at + 16 + i) >> sub & 1;
                put(out, to, sub * 32 + i, own * (fourBits(blocks, at + 48, sub, i) + 16 * fifth) - less);
            }
        }
    }

    /** A byte has the codes of two elements, 32 apart. */
    private static int fourBits(MemorySegment blocks, long codes, int sub, int i) {
        return unsigned(blocks, codes + (sub >> 1) * 32L + i) >> 4 * (sub & 1) & 15;
    }

    /** Six bits; of the upper four scales, the two high ones are with the lower four. */
    private static int subScale(MemorySegment blocks, long factors, int sub) {
        return sub < 4
                ? unsigned(blocks, factors + sub) & 63
                : unsigned(blocks, factors + sub + 4) & 15 | unsigned(blocks, factors + sub - 4) >> 6 << 4;
    }

    private static int subMinimum(MemorySegment blocks, long factors, int sub) {
        return sub < 4
                ? unsigned(blocks, factors + sub + 4) & 63
                : unsigned(blocks, factors + sub + 4) >> 4 | unsigned(blocks, factors + sub) >> 6 << 4;
    }

    static void q6k(MemorySegment blocks, long at, MemorySegment out, long to) {
        float scale = half(blocks, at + 208);
        for (int sub = 0; sub < SIZE / SUB; sub++) {
            float own = scale * signed(blocks, at + 192 + sub);
            int side = sub >> 3;
            int quarter = sub >> 1 & 3;
            for (int i = 0; i < SUB; i++) {
                int column = (sub & 1) * SUB + i;
                int low = unsigned(blocks, at + side * 64L + (quarter & 1) * 32L + column) >> 4 * (quarter >> 1) & 15;
                int high = unsigned(blocks, at + 128 + side * 32L + column) >> 2 * quarter & 3;
                put(out, to, sub * SUB + i, own * ((low | high << 4) - 32));
            }
        }
    }
}
