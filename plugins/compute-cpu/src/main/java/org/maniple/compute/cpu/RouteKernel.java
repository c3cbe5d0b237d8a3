package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.maniple.api.compute.Kernel;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.BuiltinOp.Route.GroupScore;
import org.maniple.api.graph.BuiltinOp.Route.Score;
import org.maniple.api.graph.OpCall;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;

/**
 * Chooses experts, in double precision, since a choice must not hang on how a score was rounded; {@link StrictMath}, so that ranks on
 * different processors choose the same. Threads take rows.
 */
final class RouteKernel implements Kernel, Workers.Task {

    /** Rows below which waking other threads costs more than it saves. */
    private static final int WORTH_WAKING = 4;

    private final Workers workers;
    private final Tensor logits;
    private final @Nullable Widened bias;
    private final Tensor ids;
    private final Tensor weights;
    private final Choice[] choices;

    private RouteKernel(Workers workers, OpCall call, BuiltinOp.Route op, @Nullable Widened bias) {
        this.workers = workers;
        this.logits = call.input(0);
        this.bias = bias;
        this.ids = call.output(0);
        this.weights = call.output(1);
        this.choices = new Choice[workers.threads()];
        for (int i = 0; i < choices.length; i++) {
            choices[i] = new Choice(op, logits.width(), ids.width());
        }
    }

    static Optional<Kernel> of(Workers workers, OpCall call, BuiltinOp.Route op) {
        Tensor logits = call.input(0);
        int chosen = call.output(0).width();
        if (logits.dtype() != DType.F32) {
            return Optional.empty();
        }
        if (chosen > logits.width() || logits.width() % op.groups() != 0) {
            throw new IllegalArgumentException(
                    call.node() + ": " + chosen + " of " + logits.width() + " experts in " + op.groups()
                            + " groups cannot be chosen");
        }
        return call.inputs().size() > 1
                ? Widened.of(call.input(1), 0).map(bias -> new RouteKernel(workers, call, op, bias))
                : Optional.of(new RouteKernel(workers, call, op, null));
    }

    @Override
    public void run(Step step) {
        if (bias != null) {
            bias.segment();
        }
        workers.run(this, logits.rows(), logits.rows() >= WORTH_WAKING);
    }

    @Override
    public void compute(int row, int thread) {
        Choice choice = choices[thread];
        choice.score(logits, row);
        choice.rank(bias);
        choice.choose();
        choice.write(ids, weights, row);
    }

    /** What a thread needs to choose for one row. */
    private static final class Choice {

        private final BuiltinOp.Route op;
        private final double[] scores;
        private final double[] ranking;
        private final double[] groupScores;
        private final int[] keptGroups;
        private final int[] chosen;
        private final double[] shares;

        Choice(BuiltinOp.Route op, int experts, int choices) {
            this.op = op;
            this.scores = new double[experts];
            this.ranking = new double[experts];
            this.groupScores = new double[op.groups()];
            this.keptGroups = new int[Math.min(op.keptGroups(), op.groups())];
            this.chosen = new int[choices];
            this.shares = new double[choices];
        }

        void score(Tensor logits, int row) {
            for (int i = 0; i < scores.length; i++) {
                scores[i] = logits.segment().get(JAVA_FLOAT_UNALIGNED, 4L * ((long) row * scores.length + i));
            }
            switch (op.score()) {
                case SOFTMAX -> softmax(scores);
                case SIGMOID -> {
                    for (int i = 0; i < scores.length; i++) {
                        scores[i] = 1 / (1 + StrictMath.exp(-scores[i]));
                    }
                }
                case SOFTMAX_OF_CHOSEN -> {
                    // The logits choose.
                }
            }
        }

        private static void softmax(double[] values) {
            double greatest = Double.NEGATIVE_INFINITY;
            for (double value : values) {
                greatest = Math.max(greatest, value);
            }
            double sum = 0;
            for (int i = 0; i < values.length; i++) {
                values[i] = StrictMath.exp(values[i] - greatest);
                sum += values[i];
            }
            for (int i = 0; i < values.length; i++) {
                values[i] /= sum;
            }
        }

        void rank(@Nullable Widened bias) {
            System.arraycopy(scores, 0, ranking, 0, scores.length);
            if (bias != null) {
                for (int i = 0; i < ranking.length; i++) {
                    ranking[i] += bias.segment().get(JAVA_FLOAT_UNALIGNED, 4L * i);
                }
            }
            if (op.groups() > 1 && op.keptGroups() < op.groups()) {
                keepGroups();
            }
        }

        private void keepGroups() {
            int size = ranking.length / groupScores.length;
            for (int group = 0; group < groupScores.length; group++) {
                double first = Double.NEGATIVE_INFINITY;
                double second = Double.NEGATIVE_INFINITY;
                for (int i = group * size; i < (group + 1) * size; i++) {
                    second = Math.max(second, Math.min(first, ranking[i]));
                    first = Math.max(first, ranking[i]);
                }
                groupScores[group] = op.groupScore() == GroupScore.TOP_TWO && size > 1 ? first + second : first;
            }
            greatest(groupScores, keptGroups);
            int next = 0;
            for (int group = 0; group < groupScores.length; group++) {
                if (next < keptGroups.length && keptGroups[next] == group) {
                    next++;
                } else {
                    Arrays.fill(ranking, group * size, (group + 1) * size, Double.NEGATIVE_INFINITY);
                }
            }
        }

        void choose() {
            greatest(ranking, chosen);
            double sum = 0;
            for (int i = 0; i < chosen.length; i++) {
                shares[i] = scores[chosen[i]];
            }
            if (op.score() == Score.SOFTMAX_OF_CHOSEN) {
                softmax(shares);
            }
            if (op.normalise()) {
                for (double share : shares) {
                    sum += share;
                }
                sum += op.score() == Score.SIGMOID ? 1e-20 : 0;
                for (int i = 0; i < shares.length; i++) {
                    shares[i] /= sum;
                }
            }
        }

        /** The places of the greatest values, by ascending place; of equal values the first. */
        private static void greatest(double[] values, int[] places) {
            int count = 0;
            for (int i = 0; i < values.length; i++) {
                int place = count;
                while (place > 0 && Double.compare(-values[i], -values[places[place - 1]]) < 0) {
                    place--;
                }
                if (place < places.length) {
                    int last = Math.min(count, places.length - 1);
                    System.arraycopy(places, place, places, place + 1, last - place);
                    places[place] = i;
                    count = last + 1;
                }
            }
            Arrays.sort(places);
        }

        void write(Tensor ids, Tensor weights, int row) {
            for (int i = 0; i < chosen.length; i++) {
                long at = 4L * ((long) row * chosen.length + i);
                ids.segment().set(JAVA_INT_UNALIGNED, at, chosen[i]);
                weights.segment().set(JAVA_FLOAT_UNALIGNED, at, (float) (shares[i] * op.scale()));
            }
        }
    }
}
