package org.maniple.compute.cpu;

/**
 * A row of activations as bytes. Each 32 elements as they are held make a block with {@code d = max|x| / 127} and codes
 * {@code q = round(x · (1 / d))}, to the nearest, of two the even one; all 0 if {@code d} is. Elements that are not the row's own are 0.
 *
 * <p>In memory, each part at a multiple of 64 bytes: the codes; of each block the scale {@code d}, F32; of each block the sum of its codes,
 * I32; of each half of a block the sum of its codes, I32.
 */
record Int8Layout(int held) {

    /** Elements of a block. */
    static final int BLOCK = 32;

    Int8Layout {
        if (held % BLOCK != 0) {
            throw new IllegalArgumentException("rows of " + held + " elements are not whole blocks of " + BLOCK);
        }
    }

    int blocks() {
        return held / BLOCK;
    }

    /** Where the scales begin. */
    long scales() {
        return padded(held);
    }

    /** Where the sums of blocks begin. */
    long sums() {
        return scales() + padded(4L * blocks());
    }

    /** Where the sums of halves begin. */
    long halves() {
        return sums() + padded(4L * blocks());
    }

    /** Bytes of a row. */
    long rowBytes() {
        return halves() + padded(8L * blocks());
    }

    private static long padded(long bytes) {
        return (bytes + 63) & -64;
    }
}
