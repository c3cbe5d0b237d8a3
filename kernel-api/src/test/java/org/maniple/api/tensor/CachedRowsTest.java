package org.maniple.api.tensor;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class CachedRowsTest {

    private static final Arena ARENA = Arena.ofAuto();

    private static Tensor state(DType type, int... shape) {
        int elements = 1;
        for (int extent : shape) {
            elements *= extent;
        }
        Tensor tensor = Tensor.of(type, shape, ARENA.allocate(elements * (long) type.bytes(), 64));
        int length = shape[shape.length - 1];
        Tensor factors = Tensor.of(DType.F32, new int[] {elements / length}, ARENA.allocate(4L * elements / length, 64));
        return type == DType.I8 ? tensor.scaled(new BlockScales(List.of(length), factors)) : tensor;
    }

    private static float[] stored(Tensor state, float... row) {
        MemorySegment x = ARENA.allocateFrom(JAVA_FLOAT, row);
        CachedRows.store(state, 1, x, 0);
        float[] elements = new float[row.length];
        for (int i = 0; i < row.length; i++) {
            elements[i] = CachedRows.element(state, row.length + i);
        }
        return elements;
    }

    @Test
    void floatsStayAsTheyAre() {
        assertThat(stored(state(DType.F32, 2, 2, 2), 1, -0f, Float.MIN_VALUE, Float.NaN))
                .containsExactly(1, -0f, Float.MIN_VALUE, Float.NaN);
    }

    @Test
    void halvesAreTheNearestAndOfTwoTheEvenOne() {
        assertThat(stored(state(DType.BF16, 2, 6), 1 + 0x1p-8f, 1 + 3 * 0x1p-8f, 1 + 0x1.1p-8f, -0f, Float.NaN, Float.MAX_VALUE))
                .containsExactly(1, 1 + 0x1p-6f, 1 + 0x1p-7f, -0f, Float.NaN, Float.POSITIVE_INFINITY);
    }

    @Test
    void bytesHaveAFactorForEachHead() {
        Tensor state = state(DType.I8, 2, 2, 3);
        assertThat(stored(state, 127, -63.4f, 0.6f, 0, 0, 0)).containsExactly(127, -63, 1, 0, 0, 0);
        assertThat(stored(state, 0.25f, -0.5f, 0, -1000, 500, 3.9f)[3]).isEqualTo(-1000);
        assertThat(state.segment().get(JAVA_BYTE, 7)).isEqualTo((byte) -127);
    }

    @Test
    void bytesAreOffByHalfAStepAtMost() {
        var random = new SplittableRandom(3);
        float[] row = new float[64];
        for (int round = 0; round < 200; round++) {
            float greatest = 0;
            for (int i = 0; i < row.length; i++) {
                row[i] = (float) (random.nextDouble(-1, 1) * Math.pow(10, random.nextInt(-20, 20)));
                greatest = Math.max(greatest, Math.abs(row[i]));
            }
            float[] elements = stored(state(DType.I8, 2, 64), row);
            for (int i = 0; i < row.length; i++) {
                assertThat(Math.abs(elements[i] - row[i])).isLessThanOrEqualTo(greatest / 127 * 0.50001f);
            }
        }
    }

    @Test
    void whatIsNotFiniteStaysVisible() {
        assertThat(stored(state(DType.I8, 2, 2, 2), Float.NaN, 1, 2, 1)).satisfies(elements -> {
            assertThat(elements[0]).isNaN();
            assertThat(elements[1]).isNaN();
            assertThat(elements[2]).isEqualTo(2);
        });
        assertThat(stored(state(DType.I8, 2, 2), Float.NEGATIVE_INFINITY, 1)[1]).isNaN();
    }

    @Test
    void headsThatAreTooSmallForAFactorBecomeZeros() {
        assertThat(stored(state(DType.I8, 2, 2), 1e-32f, -1e-33f)).containsExactly(0, 0);
    }

    @Test
    void refusesOtherTypes() {
        Tensor wrong = Tensor.of(DType.F16, new int[] {2, 2}, ARENA.allocate(8, 64));
        assertThatThrownBy(() -> CachedRows.store(wrong, 0, ARENA.allocate(8, 64), 0))
                .hasMessage("states are not held as F16[2, 2]");
        Tensor bytes = Tensor.of(DType.I8, new int[] {2, 2}, ARENA.allocate(4, 64));
        assertThatThrownBy(() -> CachedRows.element(bytes, 0)).hasMessage("a state of I8[2, 2] has no factors");
    }
}
