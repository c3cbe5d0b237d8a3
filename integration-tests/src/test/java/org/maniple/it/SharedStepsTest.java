package org.maniple.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.api.engine.EngineStatistics;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.ModelInfo;
import org.maniple.api.engine.Sampling;
import org.maniple.api.engine.UnitStatus;
import org.maniple.kernel.engine.EngineOptions;
import org.maniple.kernel.engine.UnitEngine;
import org.maniple.kernel.step.StepBatch;

/** Requests that share steps and KV blocks get the tokens that each gets alone, on every layout. */
class SharedStepsTest {

    private static final int REQUESTS = 32;
    private static final int BLOCK = 16;
    private static final int BLOCKS = 512;
    /** Of each home: less than what the requests at work would have together, so that some lose theirs. */
    private static final int FEW_BLOCKS = 11;
    private static final int SEATS = 12;
    /** Requests that have come before the first step runs, whatever the machine does meanwhile. */
    private static final int EARLY = 10;
    /** Requests that draw their tokens, all in the same steps. */
    private static final int DRAWING = 16;

    /** One answer. */
    private static final class Answer {

        private final List<Integer> tokens = new ArrayList<>();
        private final CountDownLatch ended = new CountDownLatch(1);
        private volatile String problem = "";
        private volatile int cached;

        void accept(GenerationEvent event) {
            switch (event) {
                case GenerationEvent.Tokens some -> tokens.addAll(some.tokens());
                case GenerationEvent.Finished finished -> {
                    cached = finished.cachedTokens();
                    ended.countDown();
                }
                case GenerationEvent.Failed failed -> {
                    problem = failed.message();
                    ended.countDown();
                }
                case GenerationEvent.Prompt prompt -> {
                    // Not asked for.
                }
                case GenerationEvent.Embedding vector -> {
                    // Nor this.
                }
            }
        }

        List<Integer> await() throws InterruptedException {
            assertThat(ended.await(100, TimeUnit.SECONDS)).as("the end of the output").isTrue();
            assertThat(problem).isEmpty();
            return tokens;
        }
    }

    static Stream<Arguments> layouts() {
        Path dense = Oracles.committed();
        return Stream.of(Arguments.of(dense, Layout.of(2, 1)), Arguments.of(dense, Layout.of(1, 2)),
                Arguments.of(dense, Layout.of(2, 2)),
                Arguments.of(Oracles.reference("qwen2-moe"), Layout.of(2, 1).attentionOf(2).experts()),
                // Sliding windows, and latent attention.
                Arguments.of(Oracles.reference("gpt-oss-mxfp4"), Layout.of(2, 1)),
                Arguments.of(Oracles.reference("kimi-k2"), Layout.of(2, 1).attentionOf(2).experts()));
    }

    @ParameterizedTest
    @MethodSource("layouts")
    void everyRequestGetsTheTokensThatItGetsAlone(Path model, Layout layout) throws InterruptedException {
        var limits = new StepBatch.Limits(48, SEATS, 1024, SEATS, BLOCK, 1);
        try (var unit = new VirtualUnit(model, layout, limits, BLOCKS)) {
            List<GenerationRequest> requests = requests(unit.program().graph().vocabulary());
            var alone = new ArrayList<List<Integer>>();
            UnitEngine plain = engine(unit, model, SEATS, BLOCKS, false, new CountDownLatch(0));
            for (GenerationRequest request : requests) {
                var answer = new Answer();
                plain.submit(request, answer::accept);
                alone.add(answer.await());
            }
            plain.close(Duration.ofSeconds(30));

            var early = new CountDownLatch(EARLY);
            UnitEngine shared = engine(unit, model, SEATS, FEW_BLOCKS, true, early);
            var pauses = new Random(7);
            var answers = new ArrayList<Answer>();
            for (GenerationRequest request : requests) {
                var answer = new Answer();
                answers.add(answer);
                shared.submit(request, answer::accept);
                early.countDown();
                LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(pauses.nextInt(2_000)));
            }
            for (int i = 0; i < REQUESTS; i++) {
                assertThat(answers.get(i).await()).as("request " + i).isEqualTo(alone.get(i));
            }
            EngineStatistics statistics = shared.statistics();
            assertThat(statistics.preemptions()).isPositive();
            assertThat(statistics.prefixCacheHits()).isPositive()
                    .isEqualTo(answers.stream().mapToLong(answer -> answer.cached).sum());
            shared.close(Duration.ofSeconds(30));
        }
    }

    @ParameterizedTest
    @MethodSource("layouts")
    void aSeedDrawsInABatchOf16TheTokensThatItDrawsAlone(Path model, Layout layout) throws InterruptedException {
        try (var unit = new VirtualUnit(model, layout, drawingLimits(), BLOCKS)) {
            assertThat(drawnTogether(unit, model)).isEqualTo(drawnAlone(unit, model));
        }
    }

    @Test
    void withExactNumericsASeedDrawsTheSameTokensOnTwoRanksAndTwoReplicasAsOnOneRank() throws InterruptedException {
        Path model = Oracles.committed();
        List<List<Integer>> alone;
        try (var unit = new VirtualUnit(model, exact(Layout.of(1, 1)), drawingLimits(), BLOCKS)) {
            alone = drawnAlone(unit, model);
        }
        assertThat(Set.copyOf(alone)).as("different seeds").hasSize(DRAWING);
        for (Layout layout : List.of(Layout.of(1, 1), Layout.of(2, 1), Layout.of(1, 1).replicas(2))) {
            try (var unit = new VirtualUnit(model, exact(layout), drawingLimits(), BLOCKS)) {
                assertThat(drawnTogether(unit, model)).as(layout.toString()).isEqualTo(alone);
            }
        }
    }

    private static Layout exact(Layout layout) {
        return layout.with("numerics", "exact", "");
    }

    private static StepBatch.Limits drawingLimits() {
        return new StepBatch.Limits(48, DRAWING, 1024, DRAWING, BLOCK, 1);
    }

    private static List<List<Integer>> drawnAlone(VirtualUnit unit, Path model) throws InterruptedException {
        UnitEngine engine = engine(unit, model, DRAWING, BLOCKS, false, new CountDownLatch(0));
        var tokens = new ArrayList<List<Integer>>();
        for (GenerationRequest request : drawing(unit.program().graph().vocabulary())) {
            var answer = new Answer();
            engine.submit(request, answer::accept);
            tokens.add(answer.await());
        }
        engine.close(Duration.ofSeconds(30));
        return tokens;
    }

    /** No step runs before all have come. */
    private static List<List<Integer>> drawnTogether(VirtualUnit unit, Path model) throws InterruptedException {
        var begin = new CountDownLatch(DRAWING);
        UnitEngine engine = engine(unit, model, DRAWING, BLOCKS, false, begin);
        var answers = new ArrayList<Answer>();
        for (GenerationRequest request : drawing(unit.program().graph().vocabulary())) {
            var answer = new Answer();
            answers.add(answer);
            engine.submit(request, answer::accept);
            begin.countDown();
        }
        var tokens = new ArrayList<List<Integer>>();
        for (Answer answer : answers) {
            tokens.add(answer.await());
        }
        engine.close(Duration.ofSeconds(30));
        return tokens;
    }

    /** Each with a seed of its own, at temperature 1; every other one among few tokens only, for which no whole rows of logits are needed. */
    private static List<GenerationRequest> drawing(int vocabulary) {
        var random = new Random(9);
        return IntStream.range(0, DRAWING).mapToObj(i -> {
            var sampling = new Sampling(OptionalInt.of(12), 0, 1, 1, i % 2 == 0 ? 0 : 8, 0, 1, 0, 0, OptionalLong.of(i), Map.of(),
                    List.of(), List.of(), List.of(), false, List.of(), true, OptionalInt.empty(), OptionalInt.empty(), true,
                    Optional.empty());
            int[] prompt = random.ints(1 + random.nextInt(20), 0, vocabulary).toArray();
            return new GenerationRequest("drawing " + i, prompt, sampling, OptionalInt.empty());
        }).toList();
    }

    /** Of mixed lengths; every fourth begins like the one before. */
    private static List<GenerationRequest> requests(int vocabulary) {
        var random = new Random(5);
        var requests = new ArrayList<GenerationRequest>();
        for (int i = 0; i < REQUESTS; i++) {
            int[] prompt = random.ints(1 + random.nextInt(70), 0, vocabulary).toArray();
            if (i % 4 == 3) {
                int[] before = requests.get(i - 1).prompt();
                prompt = IntStream.concat(IntStream.of(before), IntStream.of(prompt).limit(20)).toArray();
            }
            requests.add(new GenerationRequest("request " + i, prompt, greedy(i < EARLY ? 40 : 4 + random.nextInt(20)),
                    OptionalInt.empty()));
        }
        return requests;
    }

    private static Sampling greedy(int tokens) {
        return new Sampling(OptionalInt.of(tokens), 0, 0, 1, 0, 0, 1, 0, 0, OptionalLong.empty(), Map.of(), List.of(), List.of(),
                List.of(), false, List.of(), true, OptionalInt.empty(), OptionalInt.empty(), true, Optional.empty());
    }

    private static UnitEngine engine(VirtualUnit unit, Path model, int seats, int blocks, boolean sharing, CountDownLatch begin) {
        int candidates = unit.program().graph().candidates().dims().getLast().extent() / 2 - 1;
        var info = new ModelInfo(List.of("demo"), model.toString(), "Llama", unit.program().graph().vocabulary(), 256, List.of(),
                VirtualUnit.config(model));
        var usual = EngineOptions.Scheduling.DEFAULT;
        var scheduling = new EngineOptions.Scheduling(usual.order(), usual.usesPriority(), usual.maxQueuedTokens(), sharing,
                usual.stretch(), usual.smooth());
        var engine = new UnitEngine(info, Optional.empty(), new LentPipeline(unit.pipeline(), begin),
                new EngineOptions(48, seats, 0, REQUESTS, blocks, OptionalLong.of(1), candidates, scheduling),
                () -> new UnitStatus(true, List.of(), 1, List.of(), List.of(), Map.of(), 0, 0, 0, 0, List.of()), Optional::empty,
                "test");
        engine.start();
        return engine;
    }
}
