package org.maniple.kernel.execute;

import org.maniple.api.collective.Communicator;
import org.maniple.api.collective.PairExchange;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.Tensor;

/** Brings back what experts have made of tokens, summed, by an all-to-all back end. */
final class ExpertSums implements Exchanging {

    private final PairExchange exchange;
    private final Tensor pairs;
    private final Tensor sums;
    private Communicator.Begun begun = Communicator.Begun.OVER;

    ExpertSums(PairExchange exchange, Tensor pairs, Tensor sums) {
        this.exchange = exchange;
        this.pairs = pairs;
        this.sums = sums;
    }

    @Override
    public void begin(Step step) {
        begun = exchange.beginCombine(pairs, sums);
    }

    @Override
    public void end(Step step) {
        begun.end();
    }
}
