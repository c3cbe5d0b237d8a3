package org.maniple.kernel.bench;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.maniple.api.tensor.DType;

/** Random weights of any type, with scales that are as large as those of real ones. */
final class RandomBlocks {

    private static final float SCALE = 1 / 512f;

    private RandomBlocks() {}

    static void fill(MemorySegment memory, DType type, long elements) {
        RandomGenerator random = RandomGeneratorFactory.of("Xoshiro256PlusPlus").create(type.ordinal());
        long bytes = type.bytes(elements);
        switch (type) {
            case F32 -> {
                for (long at = 0; at < bytes; at += 4) {
                    memory.set(JAVA_INT_UNALIGNED, at, Float.floatToIntBits(random.nextFloat() - 0.5f));
                }
            }
            case F16, BF16 -> {
                for (long at = 0; at < bytes; at += 2) {
                    float value = random.nextFloat() - 0.5f;
                    memory.set(JAVA_SHORT_UNALIGNED, at,
                            type == DType.F16 ? Float.floatToFloat16(value) : (short) (Float.floatToIntBits(value) >>> 16));
                }
            }
            default -> {
                for (long at = 0; at + 8 <= bytes; at += 8) {
                    memory.set(JAVA_LONG_UNALIGNED, at, random.nextLong());
                }
                for (long at = 0; at < bytes; at += type.blockBytes()) {
                    scales(memory, type, at);
                }
            }
        }
    }

    private static void scales(MemorySegment memory, DType type, long at) {
        switch (type) {
            case Q4_0, Q5_0, IQ4_NL -> half(memory, at);
            case Q8_0 -> {
                half(memory, at);
                lift(memory, at + 2, 32);
            }
            case Q4_1, Q5_1, Q4_K, Q5_K -> {
                half(memory, at);
                half(memory, at + 2);
            }
            case Q2_K -> {
                half(memory, at + 80);
                half(memory, at + 82);
            }
            case Q3_K -> half(memory, at + 108);
            case Q6_K -> {
                lift(memory, at + 192, 16);
                half(memory, at + 208);
            }
            case MXFP4 -> memory.set(JAVA_BYTE, at, (byte) 120);
            // The code of no number.
            case F8_E4M3 -> {
                if ((memory.get(JAVA_BYTE, at) & 0x7f) == 0x7f) {
                    memory.set(JAVA_BYTE, at, (byte) 0);
                }
            }
            default -> {
            }
        }
    }

    private static void half(MemorySegment memory, long at) {
        memory.set(JAVA_SHORT_UNALIGNED, at, Float.floatToFloat16(SCALE));
    }

    /** Quantisers never write -128. */
    private static void lift(MemorySegment memory, long at, int count) {
        for (long i = at; i < at + count; i++) {
            if (memory.get(JAVA_BYTE, i) == Byte.MIN_VALUE) {
                memory.set(JAVA_BYTE, i, (byte) (Byte.MIN_VALUE + 1));
            }
        }
    }
}
