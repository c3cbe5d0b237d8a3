package org.maniple.kernel.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.maniple.kernel.engine.EngineFixture.prompt;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.RefusedException;
import org.maniple.kernel.engine.EngineFixture.Setup;

/** Who goes first, who waits, and who is not taken at all. */
class SchedulingTest {

    private static Samplings greedy(int tokens) {
        return Samplings.greedy(tokens).with(s -> s.ignoreEos = true);
    }

    /** Submits a request and notes its number when its first token comes. */
    private static Recorder noting(EngineFixture fixture, int number, int length, int tokens, int priority, List<Integer> order) {
        var recorder = new Recorder();
        fixture.engine.submit(new GenerationRequest("n" + number, prompt(length, number), greedy(tokens).build(),
                OptionalInt.empty(), priority, Optional.empty()), event -> {
                    if (event instanceof GenerationEvent.Tokens && !order.contains(number)) {
                        order.add(number);
                    }
                    recorder.accept(event);
                });
        return recorder;
    }

    @ParameterizedTest
    @CsvSource({"low-first, 0 2 4 1 3", "high-first, 0 3 1 2 4"})
    void waitingRequestsBeginByPriorityAndEqualOnesAsTheyCame(String setting, String expected) throws InterruptedException {
        Setup setup = Setup.standard().queue(1, 10).policy(new PriorityPolicy(), Map.of("priority-order", setting));
        try (EngineFixture fixture = setup.build()) {
            Semaphore gate = fixture.pipeline.gated();
            fixture.engine.start();
            List<Integer> order = Collections.synchronizedList(new ArrayList<>());
            var recorders = new ArrayList<Recorder>();
            recorders.add(noting(fixture, 0, 5, 3, 5, order));
            assertThat(fixture.pipeline.entered.await(20, TimeUnit.SECONDS)).isTrue();
            int[] priorities = {5, -1, 7, -1};
            for (int i = 1; i <= 4; i++) {
                recorders.add(noting(fixture, i, 5, 3, priorities[i - 1], order));
            }
            gate.release(100_000);
            recorders.forEach(Recorder::finished);
            String seen = String.join(" ", order.stream().map(String::valueOf).toList());
            assertThat(seen).isEqualTo(expected);
        }
    }

    @Test
    void theOneWithTheLeastPriorityLosesItsBlocks() throws InterruptedException {
        // Both become 5 of 8 blocks long.
        try (EngineFixture fixture = Setup.standard().blocks(8).policy(new PriorityPolicy(), Map.of()).build()) {
            Semaphore gate = fixture.pipeline.gated();
            fixture.engine.start();
            Recorder unimportant = fixture.submit(prompt(20, 1), greedy(60), 9, "");
            Recorder important = fixture.submit(prompt(20, 2), greedy(60), 1, "");
            gate.release(100_000);
            assertThat(important.tokens()).hasSize(60);
            assertThat(unimportant.tokens()).hasSize(60);
            assertThat(fixture.engine.statistics().preemptions()).isEqualTo(1);
            assertThat(fixture.pipeline.computed(1)).isEqualTo(79);
            assertThat(fixture.pipeline.computed(0)).isGreaterThan(79);
        }
    }

    @Test
    void aPriorityThatChangesNothingIsRefused() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().start()) {
            assertThatThrownBy(() -> fixture.submit(prompt(3, 1), greedy(1), 2, "")).isInstanceOf(RefusedException.class)
                    .hasMessage("Got priority 2 but Priority scheduling is not enabled. Start the unit with --scheduling-policy "
                            + "priority, or leave it out.");
        }
    }

    @Test
    void aShortPromptDoesNotWaitForTheEndOfALongOne() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().length(512).budget(16).build()) {
            Semaphore gate = fixture.pipeline.gated();
            fixture.engine.start();
            List<Integer> order = Collections.synchronizedList(new ArrayList<>());
            Recorder longOne = noting(fixture, 0, 400, 2, 0, order);
            List<Recorder> shortOnes = IntStream.rangeClosed(1, 3).mapToObj(i -> noting(fixture, i, 40 - 10 * i, 2, 0, order))
                    .toList();
            gate.release(100_000);
            longOne.finished();
            shortOnes.forEach(Recorder::finished);
            assertThat(order).containsExactly(3, 2, 1, 0);
            // While the others were computed it got half of each step, and everything afterwards.
            assertThat(fixture.pipeline.steps).isLessThanOrEqualTo(Math.ceilDiv(400 + 30 + 20 + 10, 16) + 6);
        }
    }

    @Test
    void aPromptThatIsMoreImportantDoesNotShare() throws InterruptedException {
        Setup setup = Setup.standard().length(512).budget(16).policy(new PriorityPolicy(), Map.of());
        try (EngineFixture fixture = setup.build()) {
            Semaphore gate = fixture.pipeline.gated();
            fixture.engine.start();
            List<Integer> order = Collections.synchronizedList(new ArrayList<>());
            Recorder longOne = noting(fixture, 0, 200, 2, 0, order);
            Recorder shortOne = noting(fixture, 1, 20, 2, 1, order);
            gate.release(100_000);
            longOne.finished();
            shortOne.finished();
            assertThat(order).containsExactly(0, 1);
        }
    }

    @Test
    void tooManyWaitingTokensAreRefusedAsOverload() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().queue(1, 10).queuedTokens(50).build()) {
            Semaphore gate = fixture.pipeline.gated();
            fixture.engine.start();
            fixture.submit(prompt(60, 1), greedy(2));
            assertThat(fixture.pipeline.entered.await(20, TimeUnit.SECONDS)).isTrue();
            Recorder first = fixture.submit(prompt(30, 2), greedy(2));
            assertThatThrownBy(() -> fixture.submit(prompt(21, 3), greedy(2)))
                    .isInstanceOfSatisfying(RefusedException.class,
                            refused -> assertThat(refused.reason()).isEqualTo(RefusedException.Reason.OVERLOADED))
                    .hasMessage("Too many tokens wait [30, with this request 51]; at most 50 may (max-num-queued-tokens). "
                            + "Try again later.");
            Recorder second = fixture.submit(prompt(20, 4), greedy(2));
            assertThat(fixture.engine.statistics().waitingTokens()).isEqualTo(50);
            assertThat(fixture.engine.statistics().refusedForTokens()).isEqualTo(1);
            gate.release(100_000);
            first.finished();
            second.finished();
        }
    }
}
