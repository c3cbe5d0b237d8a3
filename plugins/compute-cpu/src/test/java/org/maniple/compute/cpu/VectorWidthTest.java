package org.maniple.compute.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class VectorWidthTest {

    @Test
    void isThatOfTheVectorsThatKernelsUse() {
        assertThat(VectorWidth.BITS).isEqualTo(Lanes.F.vectorBitSize());
    }
}
