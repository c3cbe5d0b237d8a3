package org.maniple.kernel.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.maniple.kernel.engine.EngineFixture.prompt;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.kernel.engine.EngineFixture.Setup;

/** How long the step that runs has taken. */
class StepAgeTest {

    private static void await(BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (!condition.getAsBoolean() && System.nanoTime() < end) {
            Thread.sleep(1);
        }
        assertThat(condition.getAsBoolean()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void growsWhileAStepStandsStillAndEndsWithTheLastOne(int depth) throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().depth(depth).build()) {
            Semaphore gate = fixture.pipeline.gated();
            fixture.engine.start();
            assertThat(fixture.engine.stepAge()).isEmpty();
            Recorder recorder = fixture.submit(prompt(7, 1), Samplings.seeded(5, 1));
            await(() -> fixture.engine.stepAge().isPresent());
            Duration before = fixture.engine.stepAge().orElseThrow();
            await(() -> fixture.engine.stepAge().orElseThrow().compareTo(before.plusMillis(20)) > 0);
            gate.release(100_000);
            recorder.finished();
            await(() -> fixture.engine.stepAge().isEmpty());
        }
    }

    @Test
    void anEngineWithoutWorkHasNone() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().start()) {
            fixture.submit(prompt(3, 1), Samplings.seeded(3, 1)).finished();
            await(() -> fixture.engine.stepAge().isEmpty());
        }
    }
}
