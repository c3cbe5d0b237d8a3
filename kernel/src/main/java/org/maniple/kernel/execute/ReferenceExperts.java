package org.maniple.kernel.execute;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.OpCall;
import org.maniple.api.tensor.PairRows;
import org.maniple.api.tensor.Tensor;

/** Scalar implementations of what chooses experts and of what sums their results. */
final class ReferenceExperts {

    private ReferenceExperts() {}

    static void route(OpCall call, BuiltinOp.Route op) {
        Tensor logits = call.input(0);
        Tensor ids = call.output(0);
        Tensor weights = call.output(1);
        int experts = logits.width();
        int choices = ids.width();
        for (int row = 0; row < logits.rows(); row++) {
            double[] scores = scores(logits, row, op.score());
            double[] ranking = scores.clone();
            for (int i = 0; i < experts && call.inputs().size() > 1; i++) {
                ranking[i] += ReferenceMath.get(call.input(1), i);
            }
            keepGroups(ranking, op);
            int[] chosen = IntStream.range(0, experts).boxed()
                    .sorted(Comparator.comparingDouble((Integer i) -> -ranking[i]).thenComparing(i -> i))
                    .limit(choices).sorted().mapToInt(Integer::intValue).toArray();
            double[] shares = shares(scores, chosen, op);
            for (int i = 0; i < choices; i++) {
                ids.segment().set(JAVA_INT_UNALIGNED, 4L * ((long) row * choices + i), chosen[i]);
                ReferenceMath.set(weights, (long) row * choices + i, (float) shares[i]);
            }
        }
    }

    private static double[] scores(Tensor logits, int row, BuiltinOp.Route.Score score) {
        double[] scores = new double[logits.width()];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = ReferenceMath.get(logits, (long) row * scores.length + i);
        }
        return switch (score) {
            case SOFTMAX -> softmax(scores);
            case SIGMOID -> Arrays.stream(scores).map(x -> 1 / (1 + Math.exp(-x))).toArray();
            case SOFTMAX_OF_CHOSEN -> scores;
        };
    }

    private static double[] softmax(double[] values) {
        double greatest = Arrays.stream(values).max().orElse(0);
        double[] exponentials = Arrays.stream(values).map(x -> Math.exp(x - greatest)).toArray();
        double sum = Arrays.stream(exponentials).sum();
        return Arrays.stream(exponentials).map(x -> x / sum).toArray();
    }

    private static void keepGroups(double[] ranking, BuiltinOp.Route op) {
        if (op.groups() == 1 || op.keptGroups() == op.groups()) {
            return;
        }
        int size = ranking.length / op.groups();
        double[] groupScores = new double[op.groups()];
        for (int group = 0; group < op.groups(); group++) {
            double[] sorted = Arrays.copyOfRange(ranking, group * size, (group + 1) * size);
            Arrays.sort(sorted);
            groupScores[group] = sorted[size - 1]
                    + (op.groupScore() == BuiltinOp.Route.GroupScore.TOP_TWO && size > 1 ? sorted[size - 2] : 0);
        }
        IntStream.range(0, op.groups()).boxed()
                .sorted(Comparator.comparingDouble((Integer g) -> -groupScores[g]).thenComparing(g -> g))
                .skip(op.keptGroups())
                .forEach(g -> Arrays.fill(ranking, g * size, (g + 1) * size, Double.NEGATIVE_INFINITY));
    }

    private static double[] shares(double[] scores, int[] chosen, BuiltinOp.Route op) {
        double[] shares = Arrays.stream(chosen).mapToDouble(i -> scores[i]).toArray();
        if (op.score() == BuiltinOp.Route.Score.SOFTMAX_OF_CHOSEN) {
            shares = softmax(shares);
        }
        if (op.normalise()) {
            double sum = Arrays.stream(shares).sum() + (op.score() == BuiltinOp.Route.Score.SIGMOID ? 1e-20 : 0);
            shares = Arrays.stream(shares).map(x -> x / sum).toArray();
        }
        return Arrays.stream(shares).map(x -> x * op.scale()).toArray();
    }

    static void combine(OpCall call) {
        Tensor pairs = call.input(0);
        Tensor weights = call.input(2);
        Tensor out = call.output(0);
        PairRows rows = pairs.pairs();
        for (int token = 0; token < out.rows(); token++) {
            for (int i = 0; i < out.width(); i++) {
                float sum = 0;
                for (int choice = 0; choice < rows.choices(); choice++) {
                    int row = rows.row(token, choice);
                    if (row >= 0) {
                        sum += ReferenceMath.get(weights, (long) token * rows.choices() + choice)
                                * ReferenceMath.get(pairs, (long) row * pairs.width() + i);
                    }
                }
                ReferenceMath.set(out, (long) token * out.width() + i, sum);
            }
        }
    }
}
