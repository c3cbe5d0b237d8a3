package org.maniple.moe.ep;

class Bf16DispatchTest extends DirectExchangeContract {

    Bf16DispatchTest() {
        super("low_latency", "bf16");
    }

    @Override
    int rowBytes(int width) {
        return 2 * width;
    }

    @Override
    protected float[] arriving(float[] row) {
        float[] arriving = new float[row.length];
        for (int i = 0; i < row.length; i++) {
            arriving[i] = nearest(row[i]);
        }
        return arriving;
    }

    /** The nearer one of the two neighbours that have the upper half only. */
    private static float nearest(float value) {
        float below = Float.intBitsToFloat(Float.floatToRawIntBits(value) & 0xffff0000);
        float above = Float.intBitsToFloat((Float.floatToRawIntBits(value) & 0xffff0000) + 0x10000);
        int compared = Double.compare(Math.abs((double) value - below), Math.abs((double) above - value));
        boolean evenBelow = (Float.floatToRawIntBits(below) & 0x10000) == 0;
        return compared < 0 || compared == 0 && evenBelow ? below : above;
    }
}
