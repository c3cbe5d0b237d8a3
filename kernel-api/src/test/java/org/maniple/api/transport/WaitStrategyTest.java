package org.maniple.api.transport;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class WaitStrategyTest {

    private static final long SLICE = 4_000_000;
    private static final long SMALL = 4_096;

    private long now = 1_000_000_000;

    /** One wait after some computing, in which somebody else has the processor for a time; whether the thread would sleep after a moment. */
    private boolean glances(WaitStrategy strategy, long missing, long bytes) {
        now += 100_000;
        strategy.begin(now, bytes);
        now += WaitStrategy.GLANCE_NANOS;
        strategy.look(now);
        boolean asleep = strategy.sleepNow(now, now - WaitStrategy.GLANCE_NANOS);
        now += missing;
        strategy.look(now);
        return asleep;
    }

    /** Waits for some time in which each glance costs something, and each longer look something else; the share of time in which it glances. */
    private double glancing(WaitStrategy strategy, long nanos, long glanceCosts, long lookCosts) {
        long begin = now;
        long glancing = 0;
        while (now - begin < nanos) {
            long before = now;
            strategy.begin(now, SMALL);
            boolean glances = strategy.sleepNow(now, now - WaitStrategy.GLANCE_NANOS);
            now += glances ? glanceCosts : lookCosts;
            strategy.look(now);
            glancing += glances ? now - before : 0;
        }
        return (double) glancing / (now - begin);
    }

    private WaitStrategy strategy(int ranks, int threads, int processors) {
        return new WaitStrategy(ranks, threads, processors, now);
    }

    @Test
    void ranksThatShareProcessorsSleepSoon() {
        var strategy = strategy(4, 1, 2);
        strategy.begin(now, SMALL);
        assertThat(strategy.sleepNow(now + 1, now)).isFalse();
        assertThat(strategy.sleepNow(now + WaitStrategy.POLITE_NANOS, now)).isTrue();
    }

    @Test
    void ranksWithMoreThreadsThanProcessorsShareThem() {
        assertThat(strategy(2, 2, 2).looks()).isFalse();
        assertThat(strategy(2, 1, 2).looks()).isTrue();
    }

    @Test
    void ranksWithAProcessorForEachThreadLookForLongerThanATimeSlice() {
        var strategy = strategy(2, 1, 2);
        strategy.begin(now, SMALL);
        assertThat(strategy.sleepNow(now + SLICE, now)).isFalse();
        assertThat(strategy.sleepNow(now + WaitStrategy.LOOK_NANOS, now)).isTrue();
    }

    @Test
    void ranksThatLoseTheirProcessorNowAndThenGoOnLooking() {
        var strategy = strategy(2, 1, 2);
        for (int i = 0; i < 20_000; i++) {
            assertThat(glances(strategy, i % 100 == 0 ? SLICE : 0, SMALL)).as("wait %d", i).isFalse();
        }
    }

    @Test
    void ranksThatAreSlowedDownByLookingGlance() {
        var strategy = strategy(2, 1, 2);
        glancing(strategy, 60_000_000_000L, 1_000_000, SLICE);
        assertThat(glancing(strategy, 60_000_000_000L, 1_000_000, SLICE)).isGreaterThan(0.9);
    }

    @Test
    void ranksThatWouldBeSlowedDownByGlancesGoOnLooking() {
        var strategy = strategy(2, 1, 2);
        glancing(strategy, 60_000_000_000L, 2 * SLICE, SLICE);
        assertThat(glancing(strategy, 60_000_000_000L, 2 * SLICE, SLICE)).isLessThan(0.1);
    }

    @Test
    void ranksLookAgainOnceTheyHaveTheirProcessorsForThemselves() {
        var strategy = strategy(2, 1, 2);
        glancing(strategy, 60_000_000_000L, 1_000_000, SLICE);
        glancing(strategy, WaitStrategy.LONGEST_PAUSE_NANOS + 2 * WaitStrategy.WINDOW_NANOS, 100_000, 50_000);
        assertThat(glancing(strategy, 60_000_000_000L, 100_000, 50_000)).isZero();
    }

    @Test
    void timeForLargeFramesIsNotTakenForALostProcessor() {
        var strategy = strategy(2, 1, 2);
        for (int i = 0; i < 1_000; i++) {
            assertThat(glances(strategy, SLICE, WaitStrategy.LARGE_BYTES + 1)).as("wait %d", i).isFalse();
        }
    }

    @Test
    void sleepIsNotTakenForALostProcessor() {
        var strategy = strategy(2, 1, 2);
        for (int i = 0; i < 1_000; i++) {
            strategy.begin(now, SMALL);
            assertThat(strategy.sleepNow(now, now - WaitStrategy.GLANCE_NANOS)).as("wait %d", i).isFalse();
            now += SLICE;
            strategy.awake(now);
            strategy.look(now);
        }
    }
}
