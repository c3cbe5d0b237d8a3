package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.BuiltinOp.Route.GroupScore;
import org.maniple.api.graph.BuiltinOp.Route.Score;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;

class RouteTest {

    private static final int ROWS = 40;

    /** The choices and weights of each row, by sorting. */
    @ParameterizedTest
    @CsvSource({"SOFTMAX,60,6,1,1,MAX,false,false,1", "SOFTMAX,8,2,1,1,MAX,true,false,1", "SOFTMAX,160,6,8,3,MAX,false,false,16",
        "SIGMOID,256,8,8,4,TOP_TWO,true,true,2.5", "SIGMOID,512,16,1,1,TOP_TWO,true,true,1",
        "SOFTMAX_OF_CHOSEN,32,4,1,1,MAX,false,false,1",
        "SIGMOID,6,3,3,2,TOP_TWO,false,false,1", "SIGMOID,4,1,4,2,TOP_TWO,true,true,1", "SOFTMAX,3,3,1,1,MAX,true,false,1"})
    void choosesTheGreatest(Score score, int experts, int choices, int groups, int kept, GroupScore groupScore, boolean normalise,
            boolean biased, double scale) {
        var op = new BuiltinOp.Route(score, groups, kept, groupScore, normalise, scale);
        Tensor logits = Tensors.random(1, ROWS, experts);
        for (DType type : new DType[] {DType.F32, DType.BF16}) {
            Optional<Tensor> bias = biased ? Optional.of(Tensors.random(2, type, 1, experts)) : Optional.empty();
            Tensor ids = Tensor.of(DType.I32, new int[] {ROWS, choices}, Tensors.zeros(ROWS, choices).segment());
            Tensor weights = Tensors.zeros(ROWS, choices);
            run(2, op, logits, bias, ids, weights);
            for (int row = 0; row < ROWS; row++) {
                double[] scores = scores(logits, row, score);
                double[] ranking = scores.clone();
                for (int i = 0; i < experts && biased; i++) {
                    ranking[i] += Tensors.get(bias.get(), i);
                }
                int[] chosen = choose(ranking, op, choices);
                double[] shares = Arrays.stream(chosen).mapToDouble(i -> scores[i]).toArray();
                if (score == Score.SOFTMAX_OF_CHOSEN) {
                    shares = softmax(shares);
                }
                double sum = normalise ? Arrays.stream(shares).sum() : 1;
                for (int i = 0; i < choices; i++) {
                    long at = (long) row * choices + i;
                    assertThat(ids.segment().get(JAVA_INT, 4 * at)).isEqualTo(chosen[i]);
                    double wanted = shares[i] / sum * scale;
                    assertThat(Tensors.get(weights, at)).isCloseTo(wanted, Offset.offset(1e-7 * Math.abs(wanted)));
                }
            }
        }
    }

    private static double[] scores(Tensor logits, int row, Score score) {
        double[] values = new double[logits.width()];
        for (int i = 0; i < values.length; i++) {
            values[i] = Tensors.get(logits, (long) row * values.length + i);
        }
        return switch (score) {
            case SOFTMAX -> softmax(values);
            case SIGMOID -> Arrays.stream(values).map(x -> 1 / (1 + Math.exp(-x))).toArray();
            case SOFTMAX_OF_CHOSEN -> values;
        };
    }

    private static double[] softmax(double[] values) {
        double sum = Arrays.stream(values).map(Math::exp).sum();
        return Arrays.stream(values).map(x -> Math.exp(x) / sum).toArray();
    }

    private static int[] choose(double[] ranking, BuiltinOp.Route op, int choices) {
        int size = ranking.length / op.groups();
        int[] kept = IntStream.range(0, op.groups()).boxed().sorted(Comparator.comparingDouble(group -> {
            double[] sorted = Arrays.copyOfRange(ranking, group * size, (group + 1) * size);
            Arrays.sort(sorted);
            return -(sorted[size - 1] + (op.groupScore() == GroupScore.TOP_TWO && size > 1 ? sorted[size - 2] : 0));
        })).limit(op.keptGroups()).mapToInt(Integer::intValue).toArray();
        return IntStream.range(0, ranking.length).filter(i -> Arrays.stream(kept).anyMatch(group -> group == i / size)).boxed()
                .sorted(Comparator.comparingDouble(i -> -ranking[i])).limit(choices).mapToInt(Integer::intValue).sorted()
                .toArray();
    }

    private static void run(int threads, BuiltinOp.Route op, Tensor logits, Optional<Tensor> bias, Tensor ids, Tensor weights) {
        try (var session = new CpuSession(threads, 2)) {
            Calls.compile(session, Calls.route(op, logits, bias, ids, weights)).run(new BatchStep(0));
        }
    }

    @Test
    void prefersTheLowerOfEqualExpertsAndGroups() {
        var op = new BuiltinOp.Route(Score.SIGMOID, 4, 2, GroupScore.TOP_TWO, true, 1);
        Tensor logits = Tensors.of(new int[] {2, 8}, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 2, 3, 3, 2, 4, 1);
        Tensor ids = Tensor.of(DType.I32, new int[] {2, 3}, Tensors.zeros(2, 3).segment());
        Tensor weights = Tensors.zeros(2, 3);
        run(1, op, logits, Optional.empty(), ids, weights);
        // Of the second row, the groups (2, 3) and (3, 2) have equal scores, and (4, 1) less than both.
        assertThat(IntStream.range(0, 6).map(i -> ids.segment().get(JAVA_INT, 4L * i))).containsExactly(0, 1, 2, 2, 3, 4);
        assertThat(Tensors.row(weights, 0)).containsExactly(1 / 3f, 1 / 3f, 1 / 3f);
    }

    @Test
    void choosesAsManyAsAskedForAlsoIfGroupsHaveFewer() {
        var op = new BuiltinOp.Route(Score.SOFTMAX, 2, 1, GroupScore.MAX, false, 1);
        Tensor ids = Tensor.of(DType.I32, new int[] {1, 3}, Tensors.zeros(1, 3).segment());
        run(1, op, Tensors.of(new int[] {1, 4}, 0, 1, 3, 2), Optional.empty(), ids, Tensors.zeros(1, 3));
        assertThat(IntStream.range(0, 3).map(i -> ids.segment().get(JAVA_INT, 4L * i))).containsExactly(0, 2, 3);
    }

    @Test
    void refusesToChooseMoreThanThereAre() {
        var op = new BuiltinOp.Route(Score.SOFTMAX, 1, 1, GroupScore.MAX, false, 1);
        Tensor ids = Tensor.of(DType.I32, new int[] {1, 3}, Tensors.zeros(1, 3).segment());
        assertThatThrownBy(() -> run(1, op, Tensors.zeros(1, 2), Optional.empty(), ids, Tensors.zeros(1, 3)))
                .hasMessageContaining("3 of 2 experts");
    }
}
