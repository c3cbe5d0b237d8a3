package org.maniple.moe.ep;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/**
 * The upper half of each float, rounded to the nearest, ties to even.
 *
 * @param width elements of a row
 */
record Bf16Rows(int width) implements RowCodec {

    @Override
    public int rowBytes() {
        return width * Short.BYTES;
    }

    @Override
    public void encode(MemorySegment floats, long at, MemorySegment into, long intoAt) {
        for (int i = 0; i < width; i++) {
            into.set(JAVA_SHORT_UNALIGNED, intoAt + 2L * i, upper(floats.get(JAVA_FLOAT_UNALIGNED, at + 4L * i)));
        }
    }

    private static short upper(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            // Rounding could carry into the sign, and truncating could leave an infinity.
            return (short) (bits >>> 16 | 0x40);
        }
        return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
    }

    @Override
    public void decode(MemorySegment from, long at, MemorySegment floats, long floatsAt) {
        for (int i = 0; i < width; i++) {
            floats.set(JAVA_FLOAT_UNALIGNED, floatsAt + 4L * i,
                    Float.intBitsToFloat(from.get(JAVA_SHORT_UNALIGNED, at + 2L * i) << 16));
        }
    }
}
