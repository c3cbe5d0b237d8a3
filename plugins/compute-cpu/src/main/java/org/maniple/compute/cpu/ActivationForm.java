package org.maniple.compute.cpu;

/**
 * How products read activations. It follows from the type of the weights and from the session's {@link Precision} alone, never from the
 * number of rows, so that the bits of a row do not depend on what is computed with it.
 */
enum ActivationForm {
    /** Floats, as operations write them. */
    F32,
    /**
     * Integers from -127 to 127 with a scale for each 32 elements of a row as its weights hold it: {@code d = max|x| / 127} and
     * {@code q = round(x · (1 / d))}, to the nearest, of two the even one; all 0 if {@code d} is less than the least normal float. Elements
     * that are not the row's own are 0. A result is one sum, over the blocks of the weights in ascending order, of
     * {@code fma(s, dw · d, sum)} where {@code s} is the exact sum of products of codes in the block and {@code dw} the block's scale;
     * where the type has minima, {@code fma(t, mw · d, sum)} follows, {@code t} being the sum of the block's {@code q}.
     */
    INT8,
    /** Rounded to BF16, nearest even. */
    BF16
}
