package org.maniple.moe.ep;

/** Whole numbers from -127 to 127. */
record Int8() implements ByteNumber {

    private static final int GREATEST = 127;

    @Override
    public float greatest() {
        return GREATEST;
    }

    @Override
    public byte nearest(float value) {
        return (byte) Math.clamp((long) Math.rint(value), -GREATEST, GREATEST);
    }

    @Override
    public float value(byte number) {
        return number;
    }
}
