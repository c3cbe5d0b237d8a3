package org.maniple.moe.ep;

class Int8DispatchTest extends DirectExchangeContract {

    Int8DispatchTest() {
        super("high_throughput", "int8");
    }

    @Override
    int rowBytes(int width) {
        return width + 4 * ((width + 127) / 128);
    }

    @Override
    protected float[] arriving(float[] row) {
        float[] arriving = new float[row.length];
        for (int i = 0; i < row.length; i++) {
            int block = i / 128;
            float greatest = 0;
            for (int j = block * 128; j < Math.min(row.length, block * 128 + 128); j++) {
                greatest = Math.max(greatest, Math.abs(row[j]));
            }
            float scale = greatest / 127;
            arriving[i] = (float) Math.rint(row[i] / scale) * scale;
        }
        return arriving;
    }
}
