package org.maniple.compute.cpu;

import org.maniple.api.tensor.DType;

/** The numbers of block types in {@code blocks.h}. */
final class NativeType {

    private NativeType() {}

    /**
     * The number of a block type.
     *
     * @throws IllegalArgumentException if it is none
     */
    static int of(DType type) {
        return switch (type) {
            case Q8_0 -> 0;
            case Q4_0 -> 1;
            case Q4_1 -> 2;
            case Q5_0 -> 3;
            case Q5_1 -> 4;
            case Q2_K -> 5;
            case Q3_K -> 6;
            case Q4_K -> 7;
            case Q5_K -> 8;
            case Q6_K -> 9;
            case IQ4_NL -> 10;
            case MXFP4 -> 11;
            case F32, F16, BF16, F8_E4M3, F64, U8, I8, I16, I32, I64, BOOL -> throw new IllegalArgumentException(
                    type + " is not a block type");
        };
    }
}
