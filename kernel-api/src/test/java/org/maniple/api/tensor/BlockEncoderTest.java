package org.maniple.api.tensor;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class BlockEncoderTest {

    /** Root mean square errors, relative to those of the elements, that may be expected of normally distributed ones. */
    private static final Map<DType, Double> ERRORS = Map.of(DType.Q8_0, 0.007, DType.Q4_0, 0.11, DType.Q4_1, 0.095, DType.Q5_0,
            0.055,
            DType.Q5_1, 0.047, DType.IQ4_NL, 0.1, DType.MXFP4, 0.15);

    static Stream<DType> encoded() {
        return ERRORS.keySet().stream().sorted();
    }

    @ParameterizedTest
    @MethodSource("encoded")
    void decodingGivesAboutWhatWasEncoded(DType dtype) {
        var random = new Random(1);
        float[] values = new float[4096];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }

        float[] again = again(dtype, values);

        double error = 0;
        double size = 0;
        for (int i = 0; i < values.length; i++) {
            error += Math.pow(again[i] - values[i], 2);
            size += Math.pow(values[i], 2);
        }
        assertThat(Math.sqrt(error / size)).isLessThan(ERRORS.get(dtype));
    }

    @ParameterizedTest
    @MethodSource("encoded")
    void whatWasDecodedIsEncodedAsItWas(DType dtype) {
        float[] values = new float[64];
        for (int i = 0; i < values.length; i++) {
            values[i] = i % 32 / 4f - 3;
        }
        float[] once = again(dtype, values);

        assertThat(again(dtype, once)).containsExactly(once, within(2e-3f));
    }

    @ParameterizedTest
    @MethodSource("encoded")
    void zerosStayZeros(DType dtype) {
        assertThat(again(dtype, new float[32])).containsExactly(new float[32], within(0f));
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    void typesOfWhichThereIsNoEncoderSaySo(DType dtype) {
        assertThat(BlockEncoder.of(dtype).isPresent()).isEqualTo(ERRORS.containsKey(dtype));
    }

    @Test
    void blocksMayLieAnywhere() {
        float[] values = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
            29, 30, 31, 127};
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(1000);
            MemorySegment.copy(values, 0, memory, JAVA_FLOAT.withByteAlignment(1), 3, 32);
            BlockEncoder.of(DType.Q8_0).orElseThrow().encode(memory, 3, memory, 501, 32);
            BlockCodec.of(DType.Q8_0).decode(memory, 501, memory, 701, 32);
            float[] again = new float[32];
            MemorySegment.copy(memory, JAVA_FLOAT.withByteAlignment(1), 701, again, 0, 32);
            assertThat(again).containsExactly(values);
        }
    }

    private static float[] again(DType dtype, float[] values) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment floats = arena.allocateFrom(JAVA_FLOAT, values);
            MemorySegment blocks = arena.allocate(dtype.bytes((long) values.length));
            BlockEncoder.of(dtype).orElseThrow().encode(floats, 0, blocks, 0, values.length);
            BlockCodec.of(dtype).decode(blocks, 0, floats, 0, values.length);
            return floats.toArray(JAVA_FLOAT);
        }
    }
}
