package org.maniple.moe.ep;

import java.util.Map;

/** Steps of up to 8 tokens a rank are sent at once, larger ones with their sizes first: in one exchange, one after the other. */
class AutoModeExchangeTest extends DirectExchangeContract {

    AutoModeExchangeTest() {
        super("auto", "f32");
    }

    @Override
    protected Map<String, Object> given() {
        return Map.of("all2all-mode", "auto", "all2all-low-latency-tokens", 8);
    }

    @Override
    boolean tellsSizes(int largest) {
        return largest > 8;
    }
}
