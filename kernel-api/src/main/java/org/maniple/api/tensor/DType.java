package org.maniple.api.tensor;

/** The type of a tensor's elements. All are little-endian. */
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
    BOOL(1);

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /**
     * The size of an element.
     *
     * @return bytes
     */
    public int bytes() {
        return bytes;
    }
}
