package org.maniple.moe.ep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RowCodecTest {

    @Test
    void rowsHaveTheSizesThatTheirTypesSay() {
        assertThat(RowCodec.of("f32", 300).rowBytes()).isEqualTo(1200);
        assertThat(RowCodec.of("bf16", 300).rowBytes()).isEqualTo(600);
        assertThat(RowCodec.of("fp8", 300).rowBytes()).isEqualTo(300 + 12);
        assertThat(RowCodec.of("int8", 256).rowBytes()).isEqualTo(256 + 8);
    }

    @Test
    void everyE4m3NumberIsNearestToItself() {
        var e4m3 = new E4m3();
        for (int bits = 0; bits < 256; bits++) {
            if ((bits & 0x7f) != 0x7f) {
                assertThat(e4m3.nearest(e4m3.value((byte) bits))).as("bits %x", bits).isEqualTo((byte) bits);
            }
        }
        assertThat(e4m3.value((byte) 0x7e)).isEqualTo(448);
        assertThat(e4m3.value((byte) 0x38)).isEqualTo(1);
        assertThat(e4m3.value((byte) 0x01)).isEqualTo(0x1p-9f);
    }

    @Test
    void e4m3RoundsToTheNearestAndTiesToEven() {
        var e4m3 = new E4m3();
        for (int bits = 0; bits < 0x7e; bits++) {
            float below = e4m3.value((byte) bits);
            float above = e4m3.value((byte) (bits + 1));
            float middle = (below + above) / 2;
            assertThat(e4m3.nearest(middle)).as("middle of %s and %s", below, above)
                    .isEqualTo((byte) (bits % 2 == 0 ? bits : bits + 1));
            assertThat(e4m3.nearest(Math.nextDown(middle))).isEqualTo((byte) bits);
            assertThat(e4m3.nearest(-Math.nextUp(middle))).isEqualTo((byte) (bits + 1 | 0x80));
        }
        assertThat(e4m3.value(e4m3.nearest(470))).isEqualTo(448);
    }

    @Test
    void lossyRowsStayWithinTheirStepOfTheGreatestOfTheBlock() {
        float[] row = new float[300];
        var random = new Random(1);
        for (int i = 0; i < row.length; i++) {
            row[i] = (float) random.nextGaussian() * (i < 128 ? 1e-3f : 100);
        }
        assertWithin(row, "bf16", 0, 0x1p-8);
        assertWithin(row, "fp8", 0x1p-10 / 448, 0x1p-4);
        assertWithin(row, "int8", 0.5 / 127, 0);
    }

    @Test
    void zerosAndTheSmallestNumbersComeThrough() {
        float[] row = {0, -0f, Float.MIN_VALUE, 0};
        for (String dtype : new String[] {"f32", "bf16", "fp8", "int8"}) {
            for (float value : through(row, dtype)) {
                assertThat(value).as(dtype).isCloseTo(0f, within(1e-40f));
            }
        }
    }

    @Test
    void whatIsNoNumberStaysNoNumber() {
        for (String dtype : new String[] {"f32", "bf16", "fp8", "int8"}) {
            assertThat(through(new float[] {1, Float.NaN, 2}, dtype)[1]).as(dtype).isNaN();
        }
    }

    private static void assertWithin(float[] row, String dtype, double ofGreatest, double ofValue) {
        float[] through = through(row, dtype);
        for (int from = 0; from < row.length; from += 128) {
            double greatest = 0;
            for (int i = from; i < Math.min(from + 128, row.length); i++) {
                greatest = Math.max(greatest, Math.abs(row[i]));
            }
            for (int i = from; i < Math.min(from + 128, row.length); i++) {
                assertThat((double) through[i]).as(dtype)
                        .isCloseTo(row[i], within((ofGreatest * greatest + ofValue * Math.abs(row[i])) * 1.0001));
            }
        }
    }

    private static float[] through(float[] row, String dtype) {
        RowCodec codec = RowCodec.of(dtype, row.length);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment floats = arena.allocateFrom(ValueLayout.JAVA_FLOAT, row);
            MemorySegment sent = arena.allocate(3 + codec.rowBytes());
            MemorySegment arrived = arena.allocate(4L * row.length);
            codec.encode(floats, 0, sent, 3);
            codec.decode(sent, 3, arrived, 0);
            return arrived.toArray(ValueLayout.JAVA_FLOAT);
        }
    }
}
