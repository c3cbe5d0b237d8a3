package org.maniple.kernel.load;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import org.maniple.api.graph.TensorView;

/**
 * Decodes MXFP4 to BF16, which loses nothing: an element is one of 0, 0.5, 1, 1.5, 2, 3, 4, 6 with a sign (E2M1), times a power of two
 * (E8M0, bias 127; all ones is not a number). OCP Microscaling Formats 1.0, sections 5.3.3 and 5.4.1.
 */
final class Mxfp4Decoder {

    private static final float[] SIZES = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
    private static final int BIAS = 127;
    private static final int NOT_A_NUMBER = 255;

    private final short[] table = new short[256 * 16];

    Mxfp4Decoder() {
        for (int scale = 0; scale < 256; scale++) {
            for (int code = 0; code < 16; code++) {
                float size = scale == NOT_A_NUMBER ? Float.NaN : Math.scalb(SIZES[code & 7], scale - BIAS);
                table[scale * 16 + code] = (short) (Float.floatToRawIntBits(code < 8 ? size : -size) >>> 16);
            }
        }
    }

    /**
     * Decodes elements that are stored one after the other.
     *
     * @param elements two in a byte, from element {@code firstByte * 2} of the tensor on
     * @param firstByte where that memory begins in the tensor
     * @param scales one byte for each block, from {@code firstScale} on
     * @param firstScale where that memory begins in the tensor
     * @param from the first element
     * @param count how many
     * @param target gets BF16
     * @param at the element of the target that the first one goes to
     */
    void decode(MemorySegment elements, long firstByte, MemorySegment scales, long firstScale, long from, long count,
            MemorySegment target, long at) {
        for (long i = 0; i < count; i++) {
            long element = from + i;
            int pair = elements.get(JAVA_BYTE, (element >> 1) - firstByte);
            int code = (element & 1) == 0 ? pair & 15 : pair >> 4 & 15;
            int scale = scales.get(JAVA_BYTE, element / TensorView.Mxfp4.BLOCK - firstScale) & 0xff;
            target.set(JAVA_SHORT_UNALIGNED, 2 * (at + i), table[scale * 16 + code]);
        }
    }
}
