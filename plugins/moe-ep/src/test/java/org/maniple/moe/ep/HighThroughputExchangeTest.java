package org.maniple.moe.ep;

class HighThroughputExchangeTest extends DirectExchangeContract {

    HighThroughputExchangeTest() {
        super("high_throughput", "f32");
    }
}
