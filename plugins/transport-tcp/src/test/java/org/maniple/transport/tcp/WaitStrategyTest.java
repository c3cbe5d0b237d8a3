package org.maniple.transport.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class WaitStrategyTest {

    @Test
    void moreRanksThanProcessorsSleepAtOnce() {
        assertThat(WaitStrategy.of(4, 2).sleepAfter(0)).isTrue();
    }

    @Test
    void ranksWithAProcessorEachLookForAWhileBeforeTheySleep() {
        WaitStrategy strategy = WaitStrategy.of(2, 2);
        assertThat(strategy.sleepAfter(0)).isFalse();
        assertThat(strategy.sleepAfter(strategy.spinNanos())).isFalse();
        assertThat(strategy.sleepAfter(strategy.spinNanos() + strategy.yieldNanos())).isTrue();
    }
}
