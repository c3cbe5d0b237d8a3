package org.maniple.kernel.step;

import org.maniple.kernel.step.StepBatch.Limits;
import org.maniple.kernel.step.StepBatch.Rows;

/**
 * Cuts steps in two: of each home the first half of the tokens, and the others. A span may be cut, too; its second part goes on where the first one ends.
 * All ranks of a unit cut a step at the same places, since these follow from the step alone. Used by one thread; cutting allocates nothing.
 */
public final class StepHalves {

    private final StepBatch first;
    private final StepBatch second;

    /**
     * Halves of no step yet.
     *
     * @param whole what the steps may have that are to be cut
     * @param blockNumbers KV blocks that exist
     * @param vocabulary token ids that exist
     */
    public StepHalves(Limits whole, int blockNumbers, int vocabulary) {
        Limits half = half(whole);
        first = new StepBatch(half, blockNumbers, vocabulary);
        second = new StepBatch(half, blockNumbers, vocabulary);
    }

    /**
     * What a half may have.
     *
     * @param whole what a step may have
     * @return half of the tokens of each home, and the rows that these can have; anything else may be in one half
     */
    public static Limits half(Limits whole) {
        int tokens = (whole.maxTokens() + 1) / 2;
        return new Limits(tokens, Math.min(whole.maxSpans(), tokens), whole.maxBlocks(), Math.min(whole.maxRows(), tokens),
                whole.blockSize(), whole.homes());
    }

    /**
     * Cuts a step.
     *
     * @param step a forward pass; not a pass that guesses
     */
    public void cut(StepBatch step) {
        begin(first, step);
        begin(second, step);
        for (int home = 0; home < step.limits().homes(); home++) {
            int from = step.tokenStart(home);
            int middle = from + (step.tokenStart(home + 1) - from + 1) / 2;
            for (int span = step.spanFirst(home); span < step.spanFirst(home + 1); span++) {
                int length = step.spanLength(span);
                int before = Math.clamp((long) middle - step.spanStart(span), 0, length);
                if (before > 0) {
                    first.addPart(step, span, 0, before, before == length ? step.rowsOf(span) : ofBeginning(step.rowsOf(span)));
                }
                if (before < length) {
                    second.addPart(step, span, before, length - before, step.rowsOf(span));
                }
            }
        }
    }

    private static void begin(StepBatch half, StepBatch step) {
        half.clear(step.stepNumber());
        half.needFullRows(step.fullRows());
        half.needHiddenRows(step.hiddenRows(), !step.wantsLogits());
    }

    /** The last token of a span is not in its first part. */
    private static Rows ofBeginning(Rows rows) {
        return rows == Rows.LAST ? Rows.NONE : rows;
    }

    /**
     * The first half of the step that was cut last.
     *
     * @return changes with the next one
     */
    public StepBatch first() {
        return first;
    }

    /**
     * The other half.
     *
     * @return changes with the next one
     */
    public StepBatch second() {
        return second;
    }
}
