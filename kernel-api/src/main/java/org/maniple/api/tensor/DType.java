package org.maniple.api.tensor;

/**
 * The type of a tensor's elements. All are little-endian. In a <em>block type</em> a run of elements of a row shares scales and is stored together; the
 * layouts are those of GGUF (ggml's {@code block_*} structures). {@link BlockCodec} tells what the bytes mean.
 */
public enum DType {
    /** IEEE 754 single precision. */
    F32(4),
    /** IEEE 754 half precision. */
    F16(2),
    /** The upper half of an IEEE 754 single. */
    BF16(2),
    /** 8-bit float with 4 exponent and 3 mantissa bits, no infinities (OCP FP8 E4M3). */
    F8_E4M3(1),
    /** IEEE 754 double precision. */
    F64(8),
    /** Signed 8-bit integer. */
    I8(1),
    /** Unsigned 8-bit integer. */
    U8(1),
    /** Signed 16-bit integer. */
    I16(2),
    /** Signed 32-bit integer. */
    I32(4),
    /** Signed 64-bit integer. */
    I64(8),
    /** One byte, 0 or 1. */
    BOOL(1),
    /** Blocks of 32: an F16 scale and signed bytes. */
    Q8_0(32, 34),
    /** Blocks of 32: an F16 scale and 4-bit codes with an offset of 8. */
    Q4_0(32, 18),
    /** Blocks of 32: an F16 scale, an F16 minimum, 4-bit codes. */
    Q4_1(32, 20),
    /** Blocks of 32: an F16 scale and 5-bit codes with an offset of 16. */
    Q5_0(32, 22),
    /** Blocks of 32: an F16 scale, an F16 minimum, 5-bit codes. */
    Q5_1(32, 24),
    /** Blocks of 256: 2-bit codes, for each 16 a 4-bit scale and minimum. */
    Q2_K(256, 84),
    /** Blocks of 256: 3-bit codes, for each 16 a 6-bit scale. */
    Q3_K(256, 110),
    /** Blocks of 256: 4-bit codes, for each 32 a 6-bit scale and minimum. */
    Q4_K(256, 144),
    /** Blocks of 256: 5-bit codes, for each 32 a 6-bit scale and minimum. */
    Q5_K(256, 176),
    /** Blocks of 256: 6-bit codes, for each 16 an 8-bit scale. */
    Q6_K(256, 210),
    /** Blocks of 32: an F16 scale and 4-bit indices into a table that is not linear. */
    IQ4_NL(32, 18),
    /** Blocks of 32: an 8-bit exponent and 4-bit floats (OCP Microscaling Formats 1.0, in GGUF's order of nibbles). */
    MXFP4(32, 17);

    private final int blockElements;
    private final int blockBytes;

    DType(int bytes) {
        this(1, bytes);
    }

    DType(int blockElements, int blockBytes) {
        this.blockElements = blockElements;
        this.blockBytes = blockBytes;
    }

    /**
     * The size of an element.
     *
     * @return bytes
     * @throws IllegalStateException if this is a block type, whose elements have no size of their own
     */
    public int bytes() {
        if (blocked()) {
            throw new IllegalStateException("elements of " + this + " have no size of their own: " + blockElements + " take "
                    + blockBytes + " bytes");
        }
        return blockBytes;
    }

    /**
     * The size of some elements.
     *
     * @param elements how many; of a block type whole blocks
     * @return bytes
     * @throws IllegalArgumentException if they are not whole blocks
     */
    public long bytes(long elements) {
        if (elements % blockElements != 0) {
            throw new IllegalArgumentException(elements + " elements are not whole blocks of " + this + " (" + blockElements
                    + " elements each)");
        }
        return Math.multiplyExact(elements / blockElements, (long) blockBytes);
    }

    /**
     * Whether elements are stored in blocks.
     *
     * @return whether this is a block type
     */
    public boolean blocked() {
        return blockElements > 1;
    }

    /**
     * Elements that are stored together.
     *
     * @return 1 unless this is a block type
     */
    public int blockElements() {
        return blockElements;
    }

    /**
     * The size of a block; of an element if this is not a block type.
     *
     * @return bytes
     */
    public int blockBytes() {
        return blockBytes;
    }
}
