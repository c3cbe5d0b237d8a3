package org.maniple.kernel.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.maniple.kernel.engine.EngineFixture.prompt;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.engine.Generation;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.OutputConstraint;
import org.maniple.kernel.engine.EngineFixture.Setup;

/** Requests that grow until there are no KV blocks left: some lose theirs and are computed anew. */
class PreemptionTest {

    private static final int BLOCK = 16;

    /** Every way through the sampler, with outputs of many blocks. */
    private static Samplings sampling(int index) {
        return Samplings.seeded(40 + index % 5 * 3, 100 + index).with(s -> {
            s.ignoreEos = true;
            switch (index % 8) {
                case 0, 1 -> s.temperature = 0;
                case 2 -> s.repetition = 1.3;
                case 3 -> s.frequency = 0.5;
                case 4 -> s.logprobs = OptionalInt.of(3);
                case 5 -> s.promptLogprobs = OptionalInt.of(2);
                case 6 -> s.constraint = Optional.of(new OutputConstraint.Regex("[a-z]*"));
                default -> s.minP = 0.1;
            }
        });
    }

    private static int promptLength(int index) {
        return 3 + index * 11 % 41;
    }

    private static List<GenerationEvent> alone(int index) throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().start()) {
            return merged(fixture.submit(prompt(promptLength(index), index), sampling(index)));
        }
    }

    /** What a client has seen, however it was cut. */
    private static List<GenerationEvent> merged(Recorder recorder) {
        var events = new ArrayList<GenerationEvent>();
        recorder.events().stream().filter(GenerationEvent.Prompt.class::isInstance).forEach(events::add);
        events.add(new GenerationEvent.Tokens(recorder.tokens(), recorder.text(), recorder.logprobs()));
        GenerationEvent.Finished end = recorder.finished();
        events.add(new GenerationEvent.Finished(end.reason(), end.stop(), "", end.promptTokens(), end.outputTokens()));
        return events;
    }

    @ParameterizedTest
    @CsvSource({"1, 64, 16, 6, 1", "1, 24, 8, 7, 1", "2, 64, 16, 6, 1", "3, 20, 4, 9, 1", "4, 64, 16, 6, 1", "1, 64, 16, 6, 2",
        "2, 32, 8, 8, 3"})
    void everyRequestGetsWhatItGetsAlone(int depth, int budget, int rows, int blocks, int homes) throws InterruptedException {
        int requests = 16;
        Setup setup = Setup.standard().depth(depth).budget(budget).step(rows, 200).blocks(blocks).homes(homes);
        try (EngineFixture fixture = setup.build()) {
            Semaphore gate = fixture.pipeline.gated();
            fixture.engine.start();
            List<Recorder> recorders = IntStream.range(0, requests)
                    .mapToObj(i -> fixture.submit(prompt(promptLength(i), i), sampling(i))).toList();
            gate.release(1_000_000);
            for (int i = 0; i < requests; i++) {
                assertThat(merged(recorders.get(i))).as("request " + i).isEqualTo(alone(i));
            }
            assertThat(fixture.engine.statistics().preemptions()).isPositive();
            assertThat(fixture.pipeline.idled.await(20, TimeUnit.SECONDS)).isTrue();
            assertThat(fixture.engine.status().freeKvBlocks()).isEqualTo(homes * blocks);
            assertThat(fixture.engine.statistics().kvCacheUsage()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void theFirstRequestIsNeverPreempted(int depth) throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().depth(depth).blocks(8).build()) {
            Semaphore gate = fixture.pipeline.gated();
            fixture.engine.start();
            // It becomes as long as the cache, so that it takes the blocks of all others.
            Recorder first = fixture.submit(prompt(10, 1), Samplings.greedy(8 * BLOCK - 10).with(s -> s.ignoreEos = true));
            var others = new ArrayList<Recorder>();
            for (int i = 2; i < 6; i++) {
                others.add(fixture.submit(prompt(10, i), Samplings.greedy(100).with(s -> s.ignoreEos = true)));
            }
            gate.release(1_000_000);
            assertThat(first.tokens()).hasSize(8 * BLOCK - 10);
            others.forEach(other -> assertThat(other.tokens()).hasSize(100));
            // A prompt is computed once, and each token but the last: whoever is preempted has more.
            assertThat(fixture.pipeline.computed(0)).isEqualTo(8 * BLOCK - 1);
            assertThat(fixture.engine.statistics().preemptions()).isPositive();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void requestsThatEndInEveryWayNeitherHangNorKeepBlocks(int depth) throws InterruptedException {
        var random = new Random(depth);
        try (EngineFixture fixture = Setup.standard().depth(depth).blocks(9).budget(48).start()) {
            var recorders = new ArrayList<Recorder>();
            var generations = new ArrayList<Generation>();
            for (int i = 0; i < 60; i++) {
                Samplings samplings = Samplings.seeded(1 + random.nextInt(80), i).with(s -> {
                    s.ignoreEos = random.nextBoolean();
                    s.stop = random.nextInt(4) == 0 ? List.of("ab", "q") : List.of();
                });
                var recorder = new Recorder();
                recorders.add(recorder);
                generations.add(fixture.engine.submit(
                        new GenerationRequest("r" + i, prompt(1 + random.nextInt(48), i), samplings.build()), recorder));
                if (random.nextInt(3) == 0) {
                    generations.get(random.nextInt(i + 1)).cancel();
                }
            }
            recorders.forEach(Recorder::finished);
            assertThat(fixture.pipeline.idled.await(20, TimeUnit.SECONDS)).isTrue();
            assertThat(fixture.engine.status().freeKvBlocks()).isEqualTo(9);
            assertThat(fixture.engine.status().runningRequests() + fixture.engine.status().waitingRequests()).isZero();
        }
    }

    @Test
    void aPreemptedRequestWaitsBeforeLaterOnes() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().blocks(6).queue(2, 10).build()) {
            Semaphore gate = fixture.pipeline.gated();
            fixture.engine.start();
            var recorders = new ArrayList<Recorder>();
            for (int i = 0; i < 3; i++) {
                recorders.add(fixture.submit(prompt(20, i), Samplings.greedy(i == 2 ? 5 : 50).with(s -> s.ignoreEos = true)));
            }
            gate.release(1_000_000);
            recorders.forEach(Recorder::finished);
            assertThat(fixture.engine.statistics().preemptions()).isEqualTo(1);
            // Neither the preempted one nor the one behind it, which would have had room, went on before the first one's end.
            assertThat(fixture.pipeline.lastStep(1)).isGreaterThan(fixture.pipeline.lastStep(0));
            assertThat(fixture.pipeline.firstStep(2)).isGreaterThan(fixture.pipeline.lastStep(0));
        }
    }
}
