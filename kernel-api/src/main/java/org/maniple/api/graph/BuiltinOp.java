package org.maniple.api.graph;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The operations that every back end knows. Their scalar reference implementations are in the kernel; a back end that does not
 * implement one of them, or not for some operands, leaves it to these.
 *
 * <p>Every operation computes each row of its output from that row's operands alone, in an order that does not depend on the number
 * of rows, so that a request's results do not depend on its batch.
 */
public sealed interface BuiltinOp extends Op {

    /**
     * Looks up rows: {@code ids[TOKENS], w[VOCAB, HIDDEN] -> [TOKENS, HIDDEN]}. Ids whose row another rank has count zero, so that
     * the sum over ranks is exact.
     */
    record Embed() implements BuiltinOp {
        @Override
        public String name() {
            return "EMBED";
        }

        @Override
        public AxisSignature signature(List<? extends Operand> inputs, List<? extends Operand> outputs) {
            return AxisSignature.reduce(Set.of(inputs.get(1).dims().getFirst().axis()));
        }
    }

    /**
     * An einsum: {@code x, w -> y}. Sums over the axes that both inputs have and the output has not; axes that both inputs and the
     * output have are batch axes. {@code w} holds, in this order: batch axes, output axes, summed axes. {@code x} holds: TOKENS,
     * batch axes, summed axes. The output holds: TOKENS, batch axes, output axes. Where {@code x} is ragged, EXPERTS is the batch axis: each row is
     * multiplied with its expert's matrix.
     */
    record Contract() implements BuiltinOp {
        @Override
        public String name() {
            return "CONTRACT";
        }

        @Override
        public AxisSignature signature(List<? extends Operand> inputs, List<? extends Operand> outputs) {
            var summed = new HashSet<Axis>();
            for (Dim dim : inputs.get(0).dims()) {
                if (inputs.get(1).has(dim.axis()) && !outputs.getFirst().has(dim.axis())) {
                    summed.add(dim.axis());
                }
            }
            return AxisSignature.reduce(summed);
        }
    }

    /**
     * Half of a root-mean-square norm: {@code x -> x without its last dimensions}, the sum of the squares over these.
     *
     * @param normed the axes that are summed: the last dimensions of {@code x}
     */
    record SumSquares(List<Axis> normed) implements BuiltinOp {
        /** Copies the list. */
        public SumSquares {
            normed = List.copyOf(normed);
        }

        @Override
        public String name() {
            return "SUMSQ";
        }

        @Override
        public AxisSignature signature(List<? extends Operand> inputs, List<? extends Operand> outputs) {
            return AxisSignature.reduce(Set.copyOf(normed));
        }
    }

    /**
     * The other half: {@code x, s, w -> x · (s/n + epsilon)^-1/2 · (offset + w)}, where {@code s} are the sums of squares and
     * {@code n} the extent of the normed axes on all ranks together. {@code w} has the normed axes.
     *
     * @param normed the axes over which {@code s} was summed
     * @param epsilon added to the mean
     * @param offset added to the weight; 1 in Gemma, otherwise 0
     */
    record Normalize(List<Axis> normed, float epsilon, float offset) implements BuiltinOp {
        /** Copies the list. */
        public Normalize {
            normed = List.copyOf(normed);
        }

        @Override
        public String name() {
            return "NORMALIZE";
        }

        @Override
        public AxisSignature signature(List<? extends Operand> inputs, List<? extends Operand> outputs) {
            return AxisSignature.map();
        }
    }

    /**
     * An elementwise function: {@code x, … -> x}.
     *
     * @param function which one
     */
    record Elementwise(ElementFunction function) implements BuiltinOp {
        @Override
        public String name() {
            return "MAP";
        }

        @Override
        public AxisSignature signature(List<? extends Operand> inputs, List<? extends Operand> outputs) {
            return function.linear() ? AxisSignature.linearMap() : AxisSignature.map();
        }
    }

    /**
     * Rotary position embedding: {@code x[TOKENS, …, d] -> x}. Pair {@code i} is turned by position × {@code frequencies[i]}; cosine
     * and sine are multiplied by {@code scale}. Elements after the first 2 × frequencies stay as they are.
     *
     * @param frequencies one per pair, as angles per position
     * @param scale factor on cosine and sine (YaRN); otherwise 1
     * @param interleaved whether a pair is (2i, 2i+1); otherwise it is (i, i + number of pairs)
     */
    record Rope(List<Double> frequencies, double scale, boolean interleaved) implements BuiltinOp {
        /** Copies the list. */
        public Rope {
            frequencies = List.copyOf(frequencies);
        }

        @Override
        public String name() {
            return "ROPE";
        }

        @Override
        public AxisSignature signature(List<? extends Operand> inputs, List<? extends Operand> outputs) {
            return AxisSignature.needsWhole(Set.of(inputs.getFirst().dims().getLast().axis()));
        }
    }

    /** Stores rows in a state: {@code x[TOKENS, d…], state[SEQS, d…] -> }, at the slot of the row's position. */
    record Cache() implements BuiltinOp {
        @Override
        public String name() {
            return "CACHE";
        }

        @Override
        public AxisSignature signature(List<? extends Operand> inputs, List<? extends Operand> outputs) {
            return AxisSignature.map();
        }
    }

    /**
     * Causal attention over the cached positions: {@code q[TOKENS, HEADS, d], keys[SEQS, KV_HEADS, d], values[SEQS, KV_HEADS, e]
     * (, sinks[HEADS]) -> [TOKENS, HEADS, e]}. A head's sink is one more score of its softmax, whose weight is then dropped. Query head {@code h} reads the key-value head {@code h / (HEADS / KV_HEADS)}, by their numbers on all
     * ranks together. The softmax runs over the positions in ascending order from the first one visible.
     *
     * @param scale factor on the scores
     * @param window how many positions a token sees, itself included; 0: all
     */
    record Attend(double scale, int window) implements BuiltinOp {
        @Override
        public String name() {
            return "ATTEND";
        }

        @Override
        public AxisSignature signature(List<? extends Operand> inputs, List<? extends Operand> outputs) {
            var inner = new HashSet<Axis>();
            inner.add(inputs.getFirst().dims().getLast().axis());
            inner.add(outputs.getFirst().dims().getLast().axis());
            return AxisSignature.needsWhole(inner);
        }
    }

    /** Picks the rows whose logits are wanted: {@code x[TOKENS, …] -> [ROWS, …]}. */
    record Select() implements BuiltinOp {
        @Override
        public String name() {
            return "SELECT";
        }

        @Override
        public AxisSignature signature(List<? extends Operand> inputs, List<? extends Operand> outputs) {
            return AxisSignature.map();
        }
    }

    /**
     * The best candidates of each row: {@code logits[ROWS, VOCAB] -> [ROWS, top]}. A row of the output is
     * {@code 2·k + 2} elements: {@code k} logits by falling value (ties: lower id first; negative infinity where there are fewer),
     * {@code k} ids as the raw bits of ints (numbered on all ranks together; -1 where there are fewer), the greatest logit, and the sum of
     * {@code exp(logit - greatest)}. Two such rows from different parts of the vocabulary can be merged.
     *
     * @param k how many candidates
     */
    record TopK(int k) implements BuiltinOp {
        @Override
        public String name() {
            return "TOPK";
        }

        /**
         * The elements of an output row.
         *
         * @return 2·k + 2
         */
        public int width() {
            return 2 * k + 2;
        }

        @Override
        public AxisSignature signature(List<? extends Operand> inputs, List<? extends Operand> outputs) {
            var merged = new ArrayList<Axis>();
            for (Dim dim : inputs.getFirst().dims()) {
                if (!outputs.getFirst().has(dim.axis())) {
                    merged.add(dim.axis());
                }
            }
            return new AxisSignature(Set.copyOf(merged), Set.of(), AxisSignature.Linearity.NONE, PartialKind.TOPK);
        }
    }

    /**
     * Multi-head latent attention (DeepSeek-V2, section 2.1): {@code qn[TOKENS, HEADS, n], qr[TOKENS, HEADS, r], latents[SEQS, l], turned[SEQS, r],
     * keyMap[HEADS, n, l], valueMap[HEADS, v, l] -> [TOKENS, HEADS, v]}. What is cached has no heads: the score of a position is
     * {@code scale · (qn · (keyMap latent) + qr · turned)}, its value is {@code valueMap latent}. A back end may apply the maps to the cached
     * latents (<em>expanded</em>), or the key map to the query and the value map to the weighted sum of latents (<em>absorbed</em>), which
     * gives the same up to rounding; it must not let the batch decide. The softmax runs over the positions in ascending order.
     *
     * @param scale factor on the scores
     */
    record AttendLatent(double scale) implements BuiltinOp {
        @Override
        public String name() {
            return "ATTEND latent";
        }

        @Override
        public AxisSignature signature(List<? extends Operand> inputs, List<? extends Operand> outputs) {
            var inner = new HashSet<Axis>();
            for (Operand operand : inputs) {
                inner.add(operand.dims().getLast().axis());
            }
            inner.add(outputs.getFirst().dims().getLast().axis());
            return AxisSignature.needsWhole(inner);
        }
    }

    /**
     * Chooses experts: {@code logits[TOKENS, GATES] (, bias[GATES]) -> ids[TOKENS, k], weights[TOKENS, k]}. The scores are a function of a
     * token's logits; the bias is added for choosing only. If there are groups, only those with the greatest group scores may be chosen from. The
     * {@code k} greatest are chosen (ties: lower id first) and listed <em>by ascending id</em>; their weights are their unbiased scores,
     * normalised and scaled as said. Ids are I32, weights F32.
     *
     * @param score how logits become scores
     * @param groups parts of equal size that experts are chosen by; 1: none
     * @param keptGroups how many of them may be chosen from
     * @param groupScore how a group's score follows from those of its experts (with bias)
     * @param normalise whether weights are divided by their sum (plus 1e-20 for sigmoid scores)
     * @param scale factor on the weights
     */
    record Route(Score score, int groups, int keptGroups, GroupScore groupScore, boolean normalise, double scale)
            implements
            BuiltinOp {
        /** How logits become scores. */
        public enum Score {
            /** Softmax over all experts. */
            SOFTMAX,
            /** Sigmoid of each. */
            SIGMOID,
            /** The logits choose; a softmax over the chosen ones gives the weights. */
            SOFTMAX_OF_CHOSEN
        }

        /** How a group's score follows from those of its experts. */
        public enum GroupScore {
            /** The greatest. */
            MAX,
            /** The sum of the two greatest. */
            TOP_TWO
        }

        @Override
        public String name() {
            return "ROUTE";
        }

        @Override
        public AxisSignature signature(List<? extends Operand> inputs, List<? extends Operand> outputs) {
            return AxisSignature.needsWhole(
                    Set.of(inputs.getFirst().dims().getLast().axis(), outputs.getFirst().dims().getLast().axis()));
        }
    }

    /**
     * Copies the row of each token for each of its experts: {@code x[TOKENS, d…], ids[TOKENS, k], weights[TOKENS, k] -> pairs[TOKENS, EXPERTS, d…]},
     * ragged. Moves rows only; it is carried out by the kernel, together with what it takes to bring them to the ranks that have the experts.
     */
    record Dispatch() implements BuiltinOp {
        @Override
        public String name() {
            return "DISPATCH";
        }

        @Override
        public AxisSignature signature(List<? extends Operand> inputs, List<? extends Operand> outputs) {
            return AxisSignature.map();
        }
    }

    /**
     * Sums the rows of each token by weight: {@code pairs[TOKENS, EXPERTS, d…], ids[TOKENS, k], weights[TOKENS, k] -> [TOKENS, d…]}, in the order
     * of the experts' ids. Choices whose row another rank has count zero.
     */
    record Combine() implements BuiltinOp {
        @Override
        public String name() {
            return "COMBINE";
        }

        @Override
        public AxisSignature signature(List<? extends Operand> inputs, List<? extends Operand> outputs) {
            return new AxisSignature(Set.of(Axes.EXPERTS), Set.of(), AxisSignature.Linearity.FIRST, PartialKind.SUM);
        }
    }
}
