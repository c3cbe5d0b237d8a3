package org.maniple.kernel.execute;

import org.maniple.kernel.step.StepBatch;

/**
 * From how many tokens on a step is computed in two halves. They are counted at the home that has most of them.
 *
 * @param decodeTokens for steps in which every sequence has one token
 * @param promptTokens for others
 */
public record OverlapThresholds(int decodeTokens, int promptTokens) {

    /** Checks that there can be two halves. */
    public OverlapThresholds {
        if (decodeTokens < 2 || promptTokens < 2) {
            throw new IllegalArgumentException(
                    "Steps of [" + decodeTokens + "] and [" + promptTokens + "] tokens cannot be halved; the least is 2");
        }
    }

    boolean reached(StepBatch step) {
        int most = 0;
        for (int home = 0; home < step.limits().homes(); home++) {
            most = Math.max(most, step.tokenStart(home + 1) - step.tokenStart(home));
        }
        return step.kind() == StepBatch.KIND_STEP && most >= (step.tokens() == step.spans() ? decodeTokens : promptTokens);
    }
}
