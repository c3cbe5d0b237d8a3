package org.maniple.kernel.boot;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class StartupTimesTest {

    private final AtomicReference<Instant> now = new AtomicReference<>(Instant.EPOCH);
    private final StartupTimes times = new StartupTimes(now::get, Instant.EPOCH);

    private void pass(long millis) {
        now.updateAndGet(instant -> instant.plus(Duration.ofMillis(millis)));
    }

    @Test
    void eachPartLastsFromTheMarkBeforeItToItsOwn() {
        pass(250);
        times.mark("JVM start");
        pass(740);
        times.mark("weights");
        pass(10);
        times.mark("frontend");

        assertThat(times.lines()).containsExactly(
                "startup: JVM start    250 ms  25 %",
                "startup: weights      740 ms  74 %",
                "startup: frontend      10 ms   1 %",
                "startup: ready       1000 ms 100 %");
    }

    @Test
    void aStartWithoutPartsTookNoTime() {
        assertThat(times.lines()).containsExactly("startup: ready      0 ms   0 %");
    }

    @Test
    void thisProcessBeganBeforeItsFirstMark() {
        assertThat(StartupTimes.ofThisProcess().lines()).first().asString().matches("startup: JVM start +[1-9]\\d* ms 100 %");
    }
}
