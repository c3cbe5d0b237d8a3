package org.maniple.api.graph;

/**
 * The function of a MAP operation. The operands have the dimensions of the first one, or lack some of the leading ones. Where the first one is
 * ragged, a parameter whose first axis is {@link Axes#EXPERTS} gives each row what belongs to the row's expert.
 */
public sealed interface ElementFunction {

    /** {@code x + y}; {@code y} may be a bias without the token axis. */
    record Add() implements ElementFunction {}

    /**
     * {@code x · factor}.
     *
     * @param factor the factor
     */
    record Scale(float factor) implements ElementFunction {}

    /**
     * {@code activation(x) · y}: the middle of a gated feed-forward network.
     *
     * @param activation the function of the gate
     */
    record Glu(Activation activation) implements ElementFunction {}

    /**
     * {@code activation(x)}.
     *
     * @param activation the function
     */
    record Activate(Activation activation) implements ElementFunction {}

    /**
     * {@code cap · tanh(x / cap)}.
     *
     * @param cap the bound of the result
     */
    record SoftCap(float cap) implements ElementFunction {}

    /**
     * {@code (clip(y, -limit, limit) + 1) · g · sigmoid(alpha · g)} with {@code g = min(x, limit)}: the middle of gpt-oss's experts.
     *
     * @param alpha factor within the sigmoid
     * @param limit bound of both inputs
     */
    record ClampedGlu(float alpha, float limit) implements ElementFunction {}

    /**
     * {@code min(max(x, -limit), limit)}.
     *
     * @param limit the bound
     */
    record Clamp(float limit) implements ElementFunction {}

    /** {@code x · sigmoid(y)}, where {@code y} has one element for each row of {@code x}: the gate of a shared expert. */
    record RowGate() implements ElementFunction {}

    /** Functions of one element. */
    enum Activation {
        /** {@code x · sigmoid(x)}. */
        SILU,
        /** {@code x/2 · (1 + tanh(sqrt(2/pi) · (x + 0.044715 x³)))}. */
        GELU_TANH,
        /** {@code x/2 · (1 + erf(x / sqrt 2))}. */
        GELU,
        /** {@code max(x, 0)}. */
        RELU
    }

    /**
     * Whether the function of a sum is the sum of the functions.
     *
     * @return whether partial sums may be passed through it
     */
    default boolean linear() {
        return this instanceof Add || this instanceof Scale;
    }

    /**
     * How many operands the function has.
     *
     * @return 1 or 2
     */
    default int operands() {
        return switch (this) {
            case Add add -> 2;
            case Glu glu -> 2;
            case ClampedGlu glu -> 2;
            case RowGate gate -> 2;
            case Scale scale -> 1;
            case Activate activate -> 1;
            case SoftCap cap -> 1;
            case Clamp clamp -> 1;
        };
    }
}
