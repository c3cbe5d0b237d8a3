package org.maniple.kernel.load;

import org.maniple.api.tensor.DType;

/** How a weight is stored, which decides how a rank holds it. */
sealed interface Encoding {

    /** The type of the elements as a rank holds them. */
    DType held();

    /** As it is computed with. */
    record Plain(DType held) implements Encoding {}

    /** In blocks, which a rank holds whole. */
    record Blocks(DType held) implements Encoding {}

    /** In blocks that lie across the rows that a rank needs, so that they are decoded when they are read. */
    record DecodedBlocks(DType stored) implements Encoding {
        @Override
        public DType held() {
            return DType.F32;
        }
    }

    /** FP8 with factors in another tensor. */
    record Fp8() implements Encoding {
        @Override
        public DType held() {
            return DType.F8_E4M3;
        }
    }

    /**
     * MXFP4, decoded when it is read.
     *
     * @param scales the name of the tensor with the scales
     */
    record Mxfp4(String scales) implements Encoding {
        @Override
        public DType held() {
            return DType.BF16;
        }
    }
}
