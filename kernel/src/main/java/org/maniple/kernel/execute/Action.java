package org.maniple.kernel.execute;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.maniple.api.compute.Kernel;
import org.maniple.kernel.program.Piece;
import org.maniple.kernel.step.StepBatch;
import org.maniple.kernel.step.StepView;

/**
 * What happens in a step, on the tokens that a view shows.
 *
 * @param work does it
 * @param exchange does it, too, in two parts; null if it can only be done at once
 * @param view the tokens
 * @param use for which steps it is done
 * @param made what it makes
 * @param exchanges whether other ranks take part
 */
record Action(Kernel work, @Nullable Exchanging exchange, StepView view, Use use, List<Piece> made, boolean exchanges) {

    /** For which steps something is done. */
    enum Use {
        ALWAYS, LOGITS, FULL_ROWS, HIDDEN_ROWS;

        boolean by(StepBatch step) {
            return switch (this) {
                case ALWAYS -> true;
                case LOGITS -> step.wantsLogits();
                case FULL_ROWS -> step.fullRows();
                case HIDDEN_ROWS -> step.hiddenRows();
            };
        }
    }

    /** Something that this rank does alone, or at once with others. */
    static Action of(Kernel work, StepView view, Use use, List<Piece> made, boolean exchanges) {
        return new Action(work, null, view, use, made, exchanges);
    }

    /** Something that other ranks take part in. */
    static Action of(Exchanging exchange, StepView view, Use use, List<Piece> made) {
        return new Action(exchange, exchange, view, use, made, true);
    }

    /** The same with a time for each part that is done at once. */
    Action measured(StepProfile profile) {
        int slot = profile.slot(made.isEmpty() ? "(sent)" : made.getLast().toString());
        return new Action(step -> {
            long begin = System.nanoTime();
            work.run(step);
            profile.add(slot, System.nanoTime() - begin);
        }, exchange, view, use, made, exchanges);
    }
}
