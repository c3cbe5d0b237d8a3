package org.maniple.compute.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Optional;
import org.assertj.core.data.Offset;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;

class LatentAttendTest {

    private static final int BLOCKS = 64;
    private static final double SCALE = 0.15;

    /** Random operands of a shape. */
    private record Operands(Tensor queries, Tensor turnedQueries, Tensor latents, Tensor turnedKeys, Tensor keyMap,
            Tensor valueMap) {

        static Operands random(DType type, int rows, int heads, int plain, int turned, int latent, int value) {
            return new Operands(Tensors.random(1, rows, heads, plain), Tensors.random(2, rows, heads, turned),
                    Tensors.random(3, BLOCKS * 16, latent), Tensors.random(4, BLOCKS * 16, turned),
                    map(5, type, heads, plain, latent),
                    map(6, type, heads, value, latent));
        }

        private static Tensor map(long seed, DType type, int... shape) {
            if (type != DType.F8_E4M3) {
                return Tensors.random(seed, type, 1, shape);
            }
            Tensor map = Tensors.scaled(seed, shape, shape[2] / 2 - 8, shape[2]);
            Tensor factors = map.scales().orElseThrow().factors();
            for (long i = 0; i < factors.segment().byteSize() / 4; i++) {
                factors.segment().set(ValueLayout.JAVA_FLOAT, 4 * i, (float) Tensors.get(factors, i) / 100);
            }
            return map;
        }

        float[] run(LatentForm form, int threads, BatchStep step) {
            Tensor out = Tensors.zeros(queries.rows(), queries.extent(1), valueMap.extent(1));
            try (var session = new CpuSession(threads, 2, form, new VectorProducts(), new Precision(true, false),
                    Optional.empty())) {
                Calls.compile(session,
                        Calls.attendLatent(SCALE, queries, turnedQueries, latents, turnedKeys, keyMap, valueMap, out)).run(step);
            }
            return Tensors.all(out);
        }

        /** What the maps make of a latent, in double precision. */
        private double mapped(Tensor map, int head, int index, long slot) {
            double sum = 0;
            for (int i = 0; i < latents.extent(1); i++) {
                sum += Tensors.weight(map, (long) head * map.extent(1) + index, i)
                        * Tensors.get(latents, slot * latents.extent(1) + i);
            }
            return sum;
        }

        double[] expected(BatchStep step, int row, int head) {
            int last = step.position(row);
            double[] scores = new double[last + 1];
            for (int position = 0; position <= last; position++) {
                long slot = step.slot(step.spanOf(row), position);
                for (int i = 0; i < queries.extent(2); i++) {
                    scores[position] += Tensors.get(queries, ((long) row * queries.extent(1) + head) * queries.extent(2) + i)
                            * mapped(keyMap, head, i, slot);
                }
                for (int i = 0; i < turnedQueries.extent(2); i++) {
                    scores[position] += Tensors.get(turnedQueries,
                            ((long) row * queries.extent(1) + head) * turnedQueries.extent(2) + i)
                            * Tensors.get(turnedKeys, slot * turnedKeys.extent(1) + i);
                }
                scores[position] *= SCALE;
            }
            double greatest = Arrays.stream(scores).max().orElseThrow();
            double sum = Arrays.stream(scores).map(score -> Math.exp(score - greatest)).sum();
            double[] result = new double[valueMap.extent(1)];
            for (int position = 0; position <= last; position++) {
                double weight = Math.exp(scores[position] - greatest) / sum;
                for (int i = 0; i < result.length; i++) {
                    result[i] += weight * mapped(valueMap, head, i, step.slot(step.spanOf(row), position));
                }
            }
            return result;
        }
    }

    /** Positions before and after the ends of blocks and of chunks of the softmax; odd lengths; more heads than a task takes. */
    @ParameterizedTest
    @CsvSource({"F32,3,16,8,32,16", "F32,11,9,4,37,5", "BF16,2,20,8,64,24", "F16,1,16,16,32,16", "F8_E4M3,4,16,8,64,16"})
    void isAccurateInBothForms(DType type, int heads, int plain, int turned, int latent, int value) {
        BatchStep step = new BatchStep(BLOCKS).span(0, 5).span(255, 3).span(40, 1);
        var operands = Operands.random(type, step.tokens(), heads, plain, turned, latent, value);
        float[] absorbed = operands.run(LatentForm.ABSORBED, 2, step);
        float[] expanded = operands.run(LatentForm.EXPANDED, 2, step);
        for (int row = 0; row < step.tokens(); row++) {
            for (int head = 0; head < heads; head++) {
                double[] expected = operands.expected(step, row, head);
                double size = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
                for (int i = 0; i < value; i++) {
                    int at = (row * heads + head) * value + i;
                    assertThat((double) absorbed[at]).as("absorbed, row %d head %d", row, head).isCloseTo(expected[i],
                            Offset.offset(1e-4 * size));
                    assertThat((double) expanded[at]).as("expanded, row %d head %d", row, head).isCloseTo(expected[i],
                            Offset.offset(1e-4 * size));
                }
            }
        }
    }

    /** Decode, a chunk of a prompt, or a row among others: the same bits. */
    @ParameterizedTest
    @EnumSource(LatentForm.class)
    void givesARowTheSameBitsInEverySpanAndForAllThreads(LatentForm form) {
        int rows = 11;
        int start = 250;
        BatchStep whole = new BatchStep(BLOCKS).span(start, rows);
        var all = Operands.random(DType.BF16, rows, 5, 12, 8, 40, 20);
        float[] expected = all.run(form, 1, whole);
        for (int threads = 1; threads <= 3; threads++) {
            for (int length : new int[] {1, 2, 3, 5, rows}) {
                for (int from = 0; from < rows; from += length) {
                    int count = Math.min(length, rows - from);
                    BatchStep part = new BatchStep(BLOCKS).span(start + from, count, whole.table(0));
                    var some = new Operands(rows(all.queries, from, count), rows(all.turnedQueries, from, count), all.latents,
                            all.turnedKeys, all.keyMap, all.valueMap);
                    assertThat(some.run(form, threads, part)).as("%d rows from %d, %d threads", count, from, threads)
                            .isEqualTo(Arrays.copyOfRange(expected, from * 100, (from + count) * 100));
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(LatentForm.class)
    void givesAHeadTheSameBitsOnARankThatHasOnlySome(LatentForm form) {
        BatchStep step = new BatchStep(BLOCKS).span(258, 3);
        var all = Operands.random(DType.BF16, 3, 10, 12, 8, 40, 20);
        float[] expected = all.run(form, 2, step);
        for (int from = 0; from < 10; from += 3) {
            int count = Math.min(3, 10 - from);
            var some = new Operands(heads(all.queries, from, count), heads(all.turnedQueries, from, count), all.latents,
                    all.turnedKeys, map(all.keyMap, from, count), map(all.valueMap, from, count));
            float[] actual = some.run(form, 2, step);
            for (int row = 0; row < 3; row++) {
                assertThat(Arrays.copyOfRange(actual, row * count * 20, (row + 1) * count * 20)).as("heads from %d", from)
                        .isEqualTo(Arrays.copyOfRange(expected, (row * 10 + from) * 20, (row * 10 + from + count) * 20));
            }
        }
    }

    /** Some heads of all rows. */
    private static Tensor heads(Tensor tensor, int from, int count) {
        Tensor picked = Tensors.zeros(tensor.extent(0), count, tensor.extent(2));
        long bytes = 4L * tensor.extent(2);
        for (int row = 0; row < tensor.extent(0); row++) {
            MemorySegment.copy(tensor.segment(), ((long) row * tensor.extent(1) + from) * bytes, picked.segment(),
                    (long) row * count * bytes, count * bytes);
        }
        return picked;
    }

    /** Some heads of a map. */
    private static Tensor map(Tensor tensor, int from, int count) {
        long bytes = (long) tensor.width() * tensor.dtype().bytes();
        return Tensor.of(tensor.dtype(), new int[] {count, tensor.extent(1), tensor.extent(2)},
                tensor.segment().asSlice(from * bytes, count * bytes));
    }

    private static Tensor rows(Tensor tensor, int from, int count) {
        long bytes = 4L * tensor.width();
        return Tensor.of(DType.F32, new int[] {count, tensor.extent(1), tensor.extent(2)},
                tensor.segment().asSlice(from * bytes, count * bytes));
    }
}
