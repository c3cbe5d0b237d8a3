package org.maniple.kernel.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.maniple.kernel.engine.EngineFixture.prompt;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.maniple.api.engine.EndedRequest;
import org.maniple.api.engine.EngineObserver;
import org.maniple.api.engine.Generation;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.GenerationEvent.FinishReason;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.kernel.engine.EngineFixture.Setup;

class EngineObserverTest {

    /** Writes everything down, times left out. */
    private static final class Notes implements EngineObserver {

        final List<String> lines = new CopyOnWriteArrayList<>();
        final List<EndedRequest> ended = new CopyOnWriteArrayList<>();
        final AtomicInteger computed = new AtomicInteger();

        @Override
        public void step(int home, int tokens) {
            computed.addAndGet(tokens);
        }

        @Override
        public void firstToken(int home, int promptTokens, long nanos) {
            lines.add("first at " + home + " after " + promptTokens + (nanos > 0 ? "" : ", too early"));
        }

        @Override
        public void nextToken(int home, long nanos) {
            lines.add("next at " + home + (nanos > 0 ? "" : ", too early"));
        }

        @Override
        public void ended(EndedRequest request) {
            ended.add(request);
        }
    }

    private final Notes notes = new Notes();

    private static Samplings tokens(int count) {
        return Samplings.greedy(count).with(s -> s.ignoreEos = true);
    }

    @Test
    void seesARequestFromItsComingToItsEnd() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().start()) {
            assertThat(fixture.engine.observe(notes)).isTrue();

            fixture.submit(prompt(20, 1), tokens(3)).finished();

            assertThat(notes.lines).containsExactly("first at 0 after 20", "next at 0", "next at 0");
            EndedRequest request = notes.ended.getFirst();
            assertThat(request.id()).isEqualTo("request-0");
            assertThat(request.reason()).contains(FinishReason.LENGTH);
            assertThat(List.of(request.promptTokens(), request.outputTokens(), request.maxTokens().getAsInt()))
                    .containsExactly(20, 3, 3);
            assertThat(request.totalNanos()).isGreaterThanOrEqualTo(request.queueNanos().getAsLong()
                    + request.prefillNanos().getAsLong() + request.decodeNanos().getAsLong());
        }
    }

    @Test
    void countsTheTokensThatStepsCompute() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().chunk(7).start()) {
            fixture.engine.observe(notes);

            fixture.submit(prompt(20, 1), tokens(3)).finished();
        }
        assertThat(notes.computed).as("the prompt in three chunks, and each token but the last").hasValue(22);
    }

    @Test
    void tellsOfAnEndBeforeTheLastEvent() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().start()) {
            fixture.engine.observe(notes);
            var knownBefore = new CopyOnWriteArrayList<Integer>();
            var recorder = new Recorder();
            fixture.engine.submit(new GenerationRequest("one", prompt(5, 1), tokens(2).build()), event -> {
                if (event instanceof GenerationEvent.Finished) {
                    knownBefore.add(notes.ended.size());
                }
                recorder.accept(event);
            });
            recorder.finished();
            assertThat(knownBefore).containsExactly(1);
        }
    }

    @Test
    void aRequestThatNeverBeganHasNoTimesButItsWhole() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().queue(1, 5).build()) {
            Semaphore gate = fixture.pipeline.gated();
            fixture.engine.observe(notes);
            fixture.engine.start();
            Recorder first = fixture.submit(prompt(5, 1), tokens(2));
            var second = new Recorder();
            Generation waiting = fixture.engine
                    .submit(new GenerationRequest("second", prompt(5, 2), tokens(2).build()), second);
            waiting.cancel();
            gate.release(1000);
            first.finished();
            second.finished();
        }
        EndedRequest aborted = notes.ended.stream().filter(request -> request.id().equals("second")).findFirst().orElseThrow();
        assertThat(aborted.reason()).contains(FinishReason.ABORT);
        assertThat(aborted.queueNanos()).isEmpty();
        assertThat(aborted.prefillNanos()).isEmpty();
        assertThat(aborted.totalNanos()).isPositive();
    }

    @Test
    void aRequestThatFailsHasNoReason() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().build()) {
            Semaphore gate = fixture.pipeline.gated();
            fixture.engine.observe(notes);
            fixture.engine.start();
            Recorder recorder = fixture.submit(prompt(5, 1), tokens(2));
            fixture.engine.fail("rank 1 is gone");
            assertThat(recorder.last()).isEqualTo(new GenerationEvent.Failed("rank 1 is gone"));
            gate.release(1000);
        }
        assertThat(notes.ended).extracting(EndedRequest::reason).containsExactly(Optional.empty());
    }

    @Test
    void anObserverThatThrowsIsToldNothingMoreAndOthersAre() throws InterruptedException {
        var calls = new AtomicInteger();
        try (EngineFixture fixture = Setup.standard().start()) {
            fixture.engine.observe(new EngineObserver() {
                @Override
                public void nextToken(int home, long nanos) {
                    calls.incrementAndGet();
                    throw new IllegalStateException("broken on purpose");
                }
            });
            fixture.engine.observe(notes);

            assertThat(fixture.submit(prompt(5, 1), tokens(4)).tokens()).hasSize(4);

            assertThat(calls).hasValue(1);
            assertThat(notes.lines).hasSize(4);
        }
    }
}
