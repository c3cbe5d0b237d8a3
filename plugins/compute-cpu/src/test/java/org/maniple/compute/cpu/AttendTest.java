package org.maniple.compute.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Optional;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.UnitList;

class AttendTest {

    private static final int BLOCKS = 64;

    /** Positions before, at and after the ends of blocks and of chunks of the softmax; odd head lengths; groups of 1, 2, 3 and 5 heads. */
    @ParameterizedTest
    @CsvSource({"1,1,8,8,0", "4,4,16,16,0", "6,3,64,64,0", "9,3,20,12,0", "5,1,33,70,0", "4,2,128,128,7", "4,2,16,16,300"})
    void isAccurate(int heads, int kvHeads, int keyLength, int valueLength, int window) {
        BatchStep step = new BatchStep(BLOCKS).span(0, 18).span(30, 3).span(254, 4).span(400, 1);
        Tensor queries = Tensors.random(1, step.tokens(), heads, keyLength);
        Tensor keys = Tensors.random(2, BLOCKS * 16, kvHeads, keyLength);
        Tensor values = Tensors.random(3, BLOCKS * 16, kvHeads, valueLength);
        Tensor out = Tensors.zeros(step.tokens(), heads, valueLength);
        var op = new BuiltinOp.Attend(1 / Math.sqrt(keyLength), window);
        try (var session = new CpuSession(2, 2)) {
            Calls.compile(session, Calls.attend(op, queries, keys, values, out, heads, kvHeads, UnitList.range(0, heads),
                    UnitList.range(0, kvHeads))).run(step);
        }
        for (int row = 0; row < step.tokens(); row++) {
            for (int head = 0; head < heads; head++) {
                double[] expected = attend(step, op, queries, keys, values, row, head, head / (heads / kvHeads));
                for (int i = 0; i < valueLength; i++) {
                    double actual = Tensors.get(out, ((long) row * heads + head) * valueLength + i);
                    assertThat(actual).as("row %d head %d", row, head).isCloseTo(expected[i], Offset.offset(1e-5));
                }
            }
        }
    }

    private static double[] attend(BatchStep step, BuiltinOp.Attend op, Tensor queries, Tensor keys, Tensor values, int row,
            int head,
            int kvHead) {
        int length = queries.extent(2);
        int width = values.extent(2);
        int last = step.position(row);
        int first = op.window() == 0 ? 0 : Math.max(0, last - op.window() + 1);
        double[] scores = new double[last + 1];
        double greatest = Double.NEGATIVE_INFINITY;
        for (int position = first; position <= last; position++) {
            long key = ((long) step.slot(step.spanOf(row), position) * keys.extent(1) + kvHead) * length;
            for (int i = 0; i < length; i++) {
                scores[position] += Tensors.get(queries, ((long) row * queries.extent(1) + head) * length + i)
                        * Tensors.get(keys, key + i);
            }
            scores[position] *= op.scale();
            greatest = Math.max(greatest, scores[position]);
        }
        double sum = 0;
        double[] result = new double[width];
        for (int position = first; position <= last; position++) {
            double weight = Math.exp(scores[position] - greatest);
            sum += weight;
            long value = ((long) step.slot(step.spanOf(row), position) * values.extent(1) + kvHead) * width;
            for (int i = 0; i < width; i++) {
                result[i] += weight * Tensors.get(values, value + i);
            }
        }
        for (int i = 0; i < width; i++) {
            result[i] /= sum;
        }
        return result;
    }

    /** A sink far above all scores, far below, and between them; each head has its own. */
    @ParameterizedTest
    @CsvSource({"F32", "BF16"})
    void countsASinkAmongTheScoresAndGathersNothingForIt(DType type) {
        BatchStep step = new BatchStep(BLOCKS).span(0, 3).span(300, 2);
        Tensor queries = Tensors.random(1, 5, 4, 24);
        Tensor keys = Tensors.random(2, BLOCKS * 16, 2, 24);
        Tensor values = Tensors.random(3, BLOCKS * 16, 2, 24);
        Tensor sinks = Tensors.random(4, type, 0, 4);
        if (type == DType.F32) {
            sinks.segment().set(ValueLayout.JAVA_FLOAT, 0, 40f);
            sinks.segment().set(ValueLayout.JAVA_FLOAT, 4, -60f);
        }
        Tensor out = Tensors.zeros(5, 4, 24);
        var op = new BuiltinOp.Attend(0.2, 0);
        try (var session = new CpuSession(2, 2)) {
            Calls.compile(session, Calls.attend(op, queries, keys, values, Optional.of(sinks), out, 4, 2, UnitList.range(0, 4),
                    UnitList.range(0, 2))).run(step);
        }
        for (int row = 0; row < 5; row++) {
            for (int head = 0; head < 4; head++) {
                double share = shareBesideSink(step, op, queries, keys, row, head, head / 2, Tensors.get(sinks, head));
                double[] expected = attend(step, op, queries, keys, values, row, head, head / 2);
                for (int i = 0; i < 24; i++) {
                    assertThat(Tensors.get(out, (row * 4L + head) * 24 + i)).isCloseTo(expected[i] * share, Offset.offset(1e-5));
                }
            }
        }
    }

    /** What a sink leaves for the positions. */
    private static double shareBesideSink(BatchStep step, BuiltinOp.Attend op, Tensor queries, Tensor keys, int row, int head,
            int kvHead, double sink) {
        int length = queries.extent(2);
        double sum = 0;
        for (int position = 0; position <= step.position(row); position++) {
            long key = ((long) step.slot(step.spanOf(row), position) * keys.extent(1) + kvHead) * length;
            double score = 0;
            for (int i = 0; i < length; i++) {
                score += Tensors.get(queries, ((long) row * queries.extent(1) + head) * length + i) * Tensors.get(keys, key + i);
            }
            sum += Math.exp(score * op.scale());
        }
        return sum / (sum + Math.exp(sink));
    }

    /** Each rank of an uneven, overlapping split computes the same bits for a head as a rank that has all heads. */
    @Test
    void readsKeysByTheNumbersOfHeadsOnAllRanks() {
        int heads = 9;
        int kvHeads = 3;
        int length = 24;
        BatchStep step = new BatchStep(BLOCKS).span(10, 5);
        Tensor queries = Tensors.random(1, 5, heads, length);
        Tensor keys = Tensors.random(2, BLOCKS * 16, kvHeads, length);
        Tensor values = Tensors.random(3, BLOCKS * 16, kvHeads, length);
        Tensor all = Tensors.zeros(5, heads, length);
        var op = new BuiltinOp.Attend(0.2, 0);
        try (var session = new CpuSession(1, 1)) {
            Calls.compile(session, Calls.attend(op, queries, keys, values, all, heads, kvHeads, UnitList.range(0, heads),
                    UnitList.range(0, kvHeads))).run(step);
            for (UnitList own : new UnitList[] {UnitList.range(4, 9), UnitList.of(0, 1, 7), UnitList.range(3, 4),
                UnitList.empty()}) {
                UnitList held = own.map(head -> head / 3);
                Tensor part = Tensors.zeros(5, own.size(), length);
                Calls.compile(session,
                        Calls.attend(op, pick(queries, own), pick(keys, held), pick(values, held), part, heads, kvHeads, own,
                                held))
                        .run(step);
                assertThat(Tensors.all(part)).as("heads %s", own).isEqualTo(Tensors.all(pick(all, own)));
            }
        }
    }

    private static Tensor pick(Tensor tensor, UnitList units) {
        Tensor picked = Tensors.zeros(tensor.extent(0), units.size(), tensor.extent(2));
        long bytes = 4L * tensor.extent(2);
        for (int row = 0; row < tensor.extent(0); row++) {
            for (int i = 0; i < units.size(); i++) {
                picked.segment().asSlice(((long) row * units.size() + i) * bytes, bytes)
                        .copyFrom(tensor.segment().asSlice(((long) row * tensor.extent(1) + units.get(i)) * bytes, bytes));
            }
        }
        return picked;
    }

    @Test
    void refusesAQueryHeadWithoutItsKeyValueHead() {
        Tensor two = Tensors.zeros(1, 2, 8);
        Tensor state = Tensors.zeros(16, 1, 8);
        var call = Calls.attend(new BuiltinOp.Attend(1, 0), two, state, state, Tensors.zeros(1, 2, 8), 4, 4, UnitList.range(1, 3),
                UnitList.range(1, 2));
        try (var session = new CpuSession(1, 1)) {
            assertThatThrownBy(() -> Calls.compile(session, call))
                    .hasMessageEndingWith("query head 2 reads key-value head 2, but this rank has only 1");
        }
    }

    /** Decode, a chunk of a prompt, or a row among others: the same bits. */
    @ParameterizedTest
    @ValueSource(ints = {0, 260})
    void givesARowTheSameBitsInEverySpanAndForAllThreads(int window) {
        int rows = 64;
        int start = 480;
        BatchStep whole = new BatchStep(BLOCKS).span(start, rows);
        Tensor queries = Tensors.random(1, rows, 6, 40);
        Tensor keys = Tensors.random(2, BLOCKS * 16, 2, 40);
        Tensor values = Tensors.random(3, BLOCKS * 16, 2, 40);
        var op = new BuiltinOp.Attend(0.15, window);
        float[] expected = run(1, op, whole, queries, keys, values);
        for (int threads = 1; threads <= 3; threads++) {
            for (int length : new int[] {1, 2, 3, 5, 8, 17, 64}) {
                for (int from = 0; from < rows; from += length) {
                    int count = Math.min(length, rows - from);
                    BatchStep part = new BatchStep(BLOCKS).span(start + from, count, whole.table(0));
                    Tensor some = Tensor.of(queries.dtype(), new int[] {count, 6, 40},
                            queries.segment().asSlice(4L * from * queries.width(), 4L * count * queries.width()));
                    float[] wanted = Arrays.copyOfRange(expected, from * 240, (from + count) * 240);
                    assertThat(run(threads, op, part, some, keys, values)).as("%d rows from %d, %d threads", count, from, threads)
                            .isEqualTo(wanted);
                }
            }
        }
    }

    private static float[] run(int threads, BuiltinOp.Attend op, BatchStep step, Tensor queries, Tensor keys, Tensor values) {
        Tensor out = Tensors.zeros(step.tokens(), 6, 40);
        try (var session = new CpuSession(threads, 2)) {
            Calls.compile(session,
                    Calls.attend(op, queries, keys, values, out, 6, 2, UnitList.range(0, 6), UnitList.range(0, 2))).run(step);
        }
        return Tensors.all(out);
    }

    @Test
    void staysFiniteForGreatScores() {
        BatchStep step = new BatchStep(BLOCKS).span(0, 40);
        Tensor queries = Tensors.random(1, 40, 1, 16);
        Tensor keys = Tensors.random(2, BLOCKS * 16, 1, 16);
        Tensor values = Tensors.random(3, BLOCKS * 16, 1, 16);
        Tensor out = Tensors.zeros(40, 1, 16);
        try (var session = new CpuSession(1, 1)) {
            Calls.compile(session,
                    Calls.attend(new BuiltinOp.Attend(1e4, 0), queries, keys, values, out, 1, 1, UnitList.range(0, 1),
                            UnitList.range(0, 1)))
                    .run(step);
        }
        for (float value : Tensors.all(out)) {
            assertThat(value).isFinite();
        }
    }
}
