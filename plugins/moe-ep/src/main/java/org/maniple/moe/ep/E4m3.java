package org.maniple.moe.ep;

/** Floats of 8 bits with 4 of exponent and 3 of mantissa, no infinities (OCP FP8 E4M3). */
final class E4m3 implements ByteNumber {

    private static final float GREATEST = 448;
    private static final float SMALLEST_NORMAL = 0x1p-6f;
    private static final float SUBNORMAL_STEP = 0x1p-9f;
    private static final int GREATEST_BITS = 0x7e;
    private static final int BIAS = 7;

    private final float[] values = new float[256];

    E4m3() {
        for (int bits = 0; bits < values.length; bits++) {
            int exponent = bits >> 3 & 15;
            int mantissa = bits & 7;
            float magnitude = exponent == 0
                    ? mantissa * SUBNORMAL_STEP
                    : Math.scalb(1 + mantissa / 8f, exponent - BIAS);
            values[bits] = (bits & 0x7f) == 0x7f ? Float.NaN : bits < 128 ? magnitude : -magnitude;
        }
    }

    @Override
    public float greatest() {
        return GREATEST;
    }

    @Override
    public byte nearest(float value) {
        int sign = Float.floatToRawIntBits(value) >>> 24 & 0x80;
        float magnitude = Math.abs(value);
        return (byte) (sign | (magnitude < SMALLEST_NORMAL ? subnormal(magnitude) : normal(magnitude)));
    }

    /** The step is everywhere the same; eight of them are the smallest normal number, whose bits follow. */
    private static int subnormal(float magnitude) {
        return (int) Math.rint(magnitude / SUBNORMAL_STEP);
    }

    private static int normal(float magnitude) {
        int bits = Float.floatToRawIntBits(magnitude);
        int rounded = bits + 0x7ffff + (bits >> 20 & 1) >>> 20;
        return Math.min(rounded - (127 - BIAS << 3), GREATEST_BITS);
    }

    @Override
    public float value(byte number) {
        return values[number & 0xff];
    }
}
