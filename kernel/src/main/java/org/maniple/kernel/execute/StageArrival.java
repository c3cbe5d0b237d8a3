package org.maniple.kernel.execute;

import java.util.Arrays;
import java.util.List;
import org.maniple.api.collective.Communicator;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.Tensor;

/** What comes from the stage before: the rows of some tensors, all awaited at once, of which the first one is this exchange's own. */
final class StageArrival implements Exchanging {

    private final Communicator communicator;
    private final int peer;
    private final Tensor[] tensors;
    private final RowSlices[] rows;
    private final Communicator.Begun[] begun;

    StageArrival(Communicator communicator, int peer, List<Tensor> tensors) {
        this.communicator = communicator;
        this.peer = peer;
        this.tensors = tensors.toArray(Tensor[]::new);
        this.rows = new RowSlices[this.tensors.length];
        Arrays.setAll(rows,
                i -> new RowSlices(this.tensors[i].segment(), 4L * this.tensors[i].width(), this.tensors[i].extent(0)));
        this.begun = new Communicator.Begun[this.tensors.length];
    }

    @Override
    public void begin(Step step) {
        for (int i = 0; i < rows.length; i++) {
            begun[i] = communicator.beginReceive(peer, rows[i].first(tensors[i].rows()));
        }
    }

    @Override
    public void end(Step step) {
        end(0);
    }

    /** Waits for one of the others. */
    void end(int index) {
        begun[index].end();
    }
}
