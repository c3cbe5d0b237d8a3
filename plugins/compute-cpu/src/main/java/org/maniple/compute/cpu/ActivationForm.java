package org.maniple.compute.cpu;

/**
 * How products read activations. It follows from the type of the weights and from the session's {@link Precision} alone, never from the
 * number of rows, so that the bits of a row do not depend on what is computed with it.
 */
enum ActivationForm {
    /** Floats, as operations write them. */
    F32,
    /** Bytes with a scale for each 32 elements of a row as it is held: {@link Int8Layout}. */
    INT8,
    /** Rounded to BF16, nearest even. */
    BF16
}
