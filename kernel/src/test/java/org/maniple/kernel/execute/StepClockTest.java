package org.maniple.kernel.execute;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.maniple.api.engine.UnitStatus.StepTimes;

class StepClockTest {

    private final StepClock clock = new StepClock();

    @Test
    void dividesAStepIntoComputingExchangingAndWaiting() {
        var waited = new AtomicLong(1000);
        clock.waiting(waited::get);
        clock.begin();
        waited.addAndGet(30);
        clock.end(100, 40, false);
        clock.begin();
        clock.end(100, 40, false);

        assertThat(clock.times()).isEqualTo(new StepTimes(2, 120, 50, 30));
    }

    @Test
    void countsStepsThatAreComputedInHalves() {
        for (boolean halves : new boolean[] {false, true, true}) {
            clock.begin();
            clock.end(100, 40, halves);
        }

        assertThat(clock.times().halvedSteps()).isEqualTo(2);
    }

    @Test
    void whatIsWaitedBetweenStepsBelongsToNone() {
        var waited = new AtomicLong();
        clock.waiting(waited::get);
        waited.set(500);
        clock.begin();
        clock.end(100, 40, false);

        assertThat(clock.times()).isEqualTo(new StepTimes(1, 60, 40, 0));
    }

    @Test
    void aWireThatDoesNotMeasureLeavesAllOfAnExchangeAsCommunication() {
        clock.begin();
        clock.end(100, 40, false);

        assertThat(clock.times()).isEqualTo(new StepTimes(1, 60, 40, 0));
    }
}
