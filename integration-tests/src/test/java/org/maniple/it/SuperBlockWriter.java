package org.maniple.it;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.maniple.api.tensor.DType;

/**
 * Quantises floats into blocks of 256, Q4_K and Q6_K: valid blocks with the obvious scales, and not the choices that llama.cpp searches for. The
 * layouts are those of ggml's {@code block_q4_K} and {@code block_q6_K}.
 */
final class SuperBlockWriter {

    private static final int ELEMENTS = 256;

    private SuperBlockWriter() {}

    static byte[] encode(DType type, float[] elements) {
        ByteBuffer out = ByteBuffer.allocate(Math.toIntExact(type.bytes((long) elements.length))).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at < elements.length; at += ELEMENTS) {
            switch (type) {
                case Q4_K -> fourBits(elements, at, out);
                case Q6_K -> sixBits(elements, at, out);
                default -> throw new IllegalArgumentException("no encoder of " + type);
            }
        }
        return out.array();
    }

    private static void fourBits(float[] x, int at, ByteBuffer out) {
        float[] scale = new float[8];
        float[] minimum = new float[8];
        for (int run = 0; run < 8; run++) {
            float least = 0;
            float most = 0;
            for (int i = 0; i < 32; i++) {
                least = Math.min(least, x[at + 32 * run + i]);
                most = Math.max(most, x[at + 32 * run + i]);
            }
            scale[run] = (most - least) / 15;
            minimum[run] = -least;
        }
        float d = half(greatest(scale) / 63, out);
        float dmin = half(greatest(minimum) / 63, out);
        int[] scales = codes(scale, d, 63);
        int[] minima = codes(minimum, dmin, 63);
        for (int i = 0; i < 4; i++) {
            out.put((byte) (scales[i] | scales[i + 4] >> 4 << 6));
        }
        for (int i = 0; i < 4; i++) {
            out.put((byte) (minima[i] | minima[i + 4] >> 4 << 6));
        }
        for (int i = 0; i < 4; i++) {
            out.put((byte) (scales[i + 4] & 15 | (minima[i + 4] & 15) << 4));
        }
        for (int pair = 0; pair < 4; pair++) {
            for (int i = 0; i < 32; i++) {
                int low = code(x[at + 64 * pair + i] + dmin * minima[2 * pair], d * scales[2 * pair], 0, 15);
                int high = code(x[at + 64 * pair + 32 + i] + dmin * minima[2 * pair + 1], d * scales[2 * pair + 1], 0, 15);
                out.put((byte) (low | high << 4));
            }
        }
    }

    private static void sixBits(float[] x, int at, ByteBuffer out) {
        float[] scale = new float[16];
        for (int i = 0; i < ELEMENTS; i++) {
            scale[i / 16] = Math.max(scale[i / 16], Math.abs(x[at + i]) / 31);
        }
        float exact = greatest(scale) / 127;
        float d = Float.float16ToFloat(Float.floatToFloat16(exact));
        int[] scales = codes(scale, d, 127);
        byte[] low = new byte[128];
        byte[] high = new byte[64];
        for (int i = 0; i < ELEMENTS; i++) {
            int code = 32 + code(x[at + i], d * scales[i / 16], -32, 31);
            int upper = i / 128;
            int quarter = i % 128 / 32;
            low[64 * upper + i % 64] |= (byte) ((code & 15) << 4 * (quarter / 2));
            high[32 * upper + i % 32] |= (byte) (code >> 4 << 2 * quarter);
        }
        out.put(low).put(high);
        for (int one : scales) {
            out.put((byte) one);
        }
        half(exact, out);
    }

    /** Writes a half; what it is. */
    private static float half(float value, ByteBuffer out) {
        short bits = Float.floatToFloat16(value);
        out.putShort(bits);
        return Float.float16ToFloat(bits);
    }

    private static float greatest(float[] values) {
        float found = 0;
        for (float value : values) {
            found = Math.max(found, value);
        }
        return found;
    }

    private static int[] codes(float[] values, float unit, int most) {
        int[] codes = new int[values.length];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = code(values[i], unit, 0, most);
        }
        return codes;
    }

    private static int code(float value, float unit, int least, int most) {
        return unit == 0 ? 0 : Math.clamp(Math.round(value / unit), least, most);
    }
}
