package org.maniple.moe.ep;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/**
 * One byte for each element and one float for each block of {@value #BLOCK} elements, by which they are multiplied; all bytes first, then the
 * floats. The greatest magnitude of a block becomes the greatest number that a byte can be.
 *
 * @param width elements of a row
 * @param number what the bytes mean
 */
record BlockRows(int width, ByteNumber number) implements RowCodec {

    static final int BLOCK = 128;

    @Override
    public int rowBytes() {
        return width + Float.BYTES * Math.ceilDiv(width, BLOCK);
    }

    @Override
    public void encode(MemorySegment floats, long at, MemorySegment into, long intoAt) {
        for (int from = 0; from < width; from += BLOCK) {
            int to = Math.min(width, from + BLOCK);
            float greatest = 0;
            for (int i = from; i < to; i++) {
                greatest = Math.max(greatest, Math.abs(floats.get(JAVA_FLOAT_UNALIGNED, at + 4L * i)));
            }
            float scale = greatest / number.greatest();
            // A block of zeros has the scale 0, and so may one of the very smallest numbers.
            for (int i = from; i < to; i++) {
                into.set(JAVA_BYTE, intoAt + i,
                        scale == 0 ? 0 : number.nearest(floats.get(JAVA_FLOAT_UNALIGNED, at + 4L * i) / scale));
            }
            into.set(JAVA_FLOAT_UNALIGNED, intoAt + width + Float.BYTES * (long) (from / BLOCK), scale);
        }
    }

    @Override
    public void decode(MemorySegment from, long at, MemorySegment floats, long floatsAt) {
        for (int begin = 0; begin < width; begin += BLOCK) {
            int end = Math.min(width, begin + BLOCK);
            float scale = from.get(JAVA_FLOAT_UNALIGNED, at + width + Float.BYTES * (long) (begin / BLOCK));
            for (int i = begin; i < end; i++) {
                floats.set(JAVA_FLOAT_UNALIGNED, floatsAt + 4L * i, number.value(from.get(JAVA_BYTE, at + i)) * scale);
            }
        }
    }
}
