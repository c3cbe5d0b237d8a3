package org.maniple.kernel.execute;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import org.maniple.api.collective.Communicator;
import org.maniple.api.collective.PairExchange;
import org.maniple.api.mesh.ExpertPlacement;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.PairRows;
import org.maniple.api.tensor.Tensor;
import org.maniple.kernel.step.StepBatch;
import org.maniple.kernel.step.StepView;

/** Brings this rank's tokens to the ranks that have their experts, by an all-to-all back end. */
final class ExpertVisits implements Exchanging, PairExchange.Owners {

    private final PairExchange exchange;
    private final ExpertTable table;
    /** The position in the exchange's group of each part of the placement; -1 if it is none of these ranks. */
    private final int[] positions;
    private final Tensor x;
    private final Tensor ids;
    private final Tensor weights;
    private final Tensor pairs;
    private final CurrentBatch current;
    private Step step;
    private Communicator.Begun begun = Communicator.Begun.OVER;

    ExpertVisits(PairExchange exchange, ExpertTable table, int[] positions, Tensor x, Tensor ids, Tensor weights, Tensor pairs,
            CurrentBatch current, Step step) {
        this.exchange = exchange;
        this.table = table;
        this.positions = positions.clone();
        this.x = x;
        this.ids = ids;
        this.weights = weights;
        this.pairs = pairs;
        this.current = current;
        this.step = step;
    }

    @Override
    public void begin(Step now) {
        step = now;
        StepBatch batch = current.batch();
        int largest = 0;
        for (int home = 0; home < batch.limits().homes(); home++) {
            largest = Math.max(largest, batch.tokenStart(home + 1) - batch.tokenStart(home));
        }
        int first = ((StepView) now).firstToken();
        begun = exchange.beginDispatch(x, weights, this, first, batch.tokens(), largest, pairs);
    }

    @Override
    public void end(Step now) {
        begun.end();
        PairRows rows = pairs.pairs();
        for (int slot = 0; slot < rows.slots(); slot++) {
            table.count(slot, rows.start(slot + 1) - rows.start(slot));
        }
    }

    @Override
    public int position(int token, int choice) {
        ExpertPlacement placement = table.placement();
        int expert = expert(token, choice);
        return positions[placement.part(expert, replica(placement, expert, token))];
    }

    @Override
    public int slot(int token, int choice) {
        ExpertPlacement placement = table.placement();
        int expert = expert(token, choice);
        return placement.slot(expert, replica(placement, expert, token));
    }

    private int expert(int token, int choice) {
        return ids.segment().get(JAVA_INT_UNALIGNED, 4L * ((long) token * ids.width() + choice));
    }

    private int replica(ExpertPlacement placement, int expert, int token) {
        return placement.replicaFor(expert, step.position(token));
    }
}
