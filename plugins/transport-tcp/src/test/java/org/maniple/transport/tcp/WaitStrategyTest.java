package org.maniple.transport.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.maniple.api.HostInfo;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;
import org.maniple.testkit.GivenContext;
import org.maniple.testkit.GivenSettings;

class WaitStrategyTest {

    private static final long SLICE = 4_000_000;

    private long now = 1_000_000_000;

    /** One wait in which somebody else has the processor for a time; whether the thread would sleep at once. */
    private boolean wait(WaitStrategy strategy, long missing) {
        strategy.begin(now);
        now += 1_000;
        boolean asleep = strategy.sleepNow(now, now - 1_000);
        now += missing;
        strategy.sleepNow(now, now - 1_000);
        return asleep;
    }

    private int waitsAsleep(WaitStrategy strategy, int waits, long missing) {
        int asleep = 0;
        for (int i = 0; i < waits; i++) {
            asleep += wait(strategy, missing) ? 1 : 0;
        }
        return asleep;
    }

    @Test
    void ranksThatShareProcessorsSleepSoon() {
        var strategy = new WaitStrategy(4, 1, 2);
        strategy.begin(now);
        assertThat(strategy.sleepNow(now + 1, now)).isFalse();
        assertThat(strategy.sleepNow(now + WaitStrategy.POLITE_NANOS, now)).isTrue();
    }

    @Test
    void ranksWithMoreThreadsThanProcessorsShareThem() {
        assertThat(new WaitStrategy(2, 2, 2).looks()).isFalse();
        assertThat(new WaitStrategy(2, 1, 2).looks()).isTrue();
    }

    @Test
    void ranksWithAProcessorForEachThreadLookForAWhileBeforeTheySleep() {
        var strategy = new WaitStrategy(2, 1, 2);
        strategy.begin(now);
        assertThat(strategy.sleepNow(now + 1, now)).isFalse();
        assertThat(strategy.sleepNow(now + WaitStrategy.SPIN_NANOS, now)).isFalse();
        assertThat(strategy.sleepNow(now + WaitStrategy.LOOK_NANOS, now)).isTrue();
    }

    @Test
    void oneLostSliceChangesNothing() {
        var strategy = new WaitStrategy(2, 1, 2);
        wait(strategy, SLICE);
        assertThat(waitsAsleep(strategy, 100, 0)).isZero();
    }

    @Test
    void slicesLostAgainAndAgainMakeThreadsSleepAtOnceForAWhile() {
        var strategy = new WaitStrategy(2, 1, 2);
        waitsAsleep(strategy, 2, SLICE);
        assertThat(waitsAsleep(strategy, 2 * WaitStrategy.SHORTEST_REST, 0)).isBetween(WaitStrategy.SHORTEST_REST - 2,
                WaitStrategy.SHORTEST_REST);
    }

    @Test
    void asLongAsSlicesAreLostLookingIsTriedLessAndLessOften() {
        var strategy = new WaitStrategy(2, 1, 2);
        waitsAsleep(strategy, 10 * WaitStrategy.LONGEST_REST, SLICE);
        assertThat(waitsAsleep(strategy, WaitStrategy.LONGEST_REST, SLICE)).isGreaterThan(WaitStrategy.LONGEST_REST - 8);
    }

    @Test
    void sleepIsNotTakenForALostSlice() {
        var strategy = new WaitStrategy(2, 1, 2);
        for (int i = 0; i < 10; i++) {
            strategy.begin(now);
            now += WaitStrategy.SLICE_NANOS;
            assertThat(strategy.sleepNow(now, now - WaitStrategy.LOOK_NANOS)).as("wait %d", i).isTrue();
            now += 10 * SLICE;
            strategy.resume(now);
            assertThat(strategy.sleepNow(now + 1, now)).as("after sleep %d", i).isFalse();
        }
    }

    @Test
    void theThreadsOfARankAreTheConfiguredOnes() {
        var declared = new GivenSettings(List.of(Option.of("threads", OptionType.INTEGER, "Threads.")), Map.of("threads", 4));
        var host = new HostInfo("localhost", "linux", "amd64", 8, 1 << 30);
        var context = new GivenContext(declared, host, new CopyOnWriteArrayList<>());
        assertThat(WaitStrategy.of(2, context).looks()).isTrue();
        assertThat(WaitStrategy.of(3, context))
                .hasToString("waiting ranks sleep after 100 µs (3 ranks with 4 threads each on 8 processors)");
    }
}
