package org.maniple.moe.ep;

class LowLatencyExchangeTest extends DirectExchangeContract {

    LowLatencyExchangeTest() {
        super("low_latency", "f32");
    }
}
