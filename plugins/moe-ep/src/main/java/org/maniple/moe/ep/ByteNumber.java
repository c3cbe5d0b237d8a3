package org.maniple.moe.ep;

/** Numbers that are one byte each. */
interface ByteNumber {

    /**
     * The greatest number.
     *
     * @return a finite one
     */
    float greatest();

    /**
     * The byte of the number that is nearest to a value, of two the even one.
     *
     * @param value at most {@link #greatest()} in magnitude, but for rounding; NaN becomes any number
     * @return the byte
     */
    byte nearest(float value);

    /**
     * The number of a byte.
     *
     * @param number a byte
     * @return its value
     */
    float value(byte number);
}
