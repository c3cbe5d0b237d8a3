package org.maniple.moe.ep;

import org.maniple.api.collective.AllToAll;

/** Each rank is a host of its own, so that nothing is handed on. */
class HighThroughputBetweenHostsTest extends DirectExchangeContract {

    HighThroughputBetweenHostsTest() {
        super("high_throughput", "f32");
    }

    @Override
    protected AllToAll allToAll() {
        return new RdmaAllToAll();
    }

    /** 4 bytes more than directly for each choice. */
    @Override
    protected long dispatchBytes(int ranks, int ranksVisited, int visits, int pairs, int width, int largest) {
        return super.dispatchBytes(ranks, ranksVisited, visits, pairs, width, largest) + 4L * pairs;
    }
}
