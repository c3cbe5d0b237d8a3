package org.maniple.kernel.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.maniple.kernel.engine.EngineFixture.prompt;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.maniple.api.engine.EngineObserver;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.GenerationEvent.FinishReason;
import org.maniple.api.engine.OutputConstraint;
import org.maniple.kernel.engine.EngineFixture.Setup;

/** Outputs do not depend on whether they are guessed. */
class SpeculationTest {

    /** Guesses at every opportunity: one token that has occurred before is enough. */
    private static final Speculation EAGER = new Speculation.Lookup(4, 1, 3);

    private static final List<Integer> FEW = List.of(3, 5, 8);

    private static final class Guesses implements EngineObserver {

        private final AtomicInteger made = new AtomicInteger();
        private final AtomicInteger accepted = new AtomicInteger();

        @Override
        public void speculated(int home, int tokens, int right) {
            made.addAndGet(tokens);
            accepted.addAndGet(right);
        }
    }

    /** Every way through the sampler; where few tokens are allowed many guesses come true. */
    private static Samplings sampling(int index) {
        return Samplings.seeded(30 + index % 5 * 7, 100 + index).with(s -> {
            s.ignoreEos = index % 7 != 0;
            s.temperature = index % 3 == 0 ? 0 : 1;
            s.allowed = index % 4 == 3 ? List.of() : FEW;
            switch (index % 10) {
                case 1 -> s.repetition = 1.1;
                case 2 -> s.frequency = 0.2;
                case 3 -> s.topK = 5;
                case 4 -> s.logprobs = OptionalInt.of(3);
                case 5 -> s.promptLogprobs = OptionalInt.of(2);
                case 6 -> {
                    s.allowed = List.of();
                    s.constraint = Optional.of(new OutputConstraint.Regex("([ab]{1,3}c)*"));
                }
                case 7 -> s.minTokens = 20;
                case 8 -> s.stop = List.of(LetterCodec.text(List.of(5, 3, 8)));
                case 9 -> s.stopTokens = List.of(8);
                default -> {
                    // Nothing more.
                }
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

    /** Batches in flight, tokens and rows of a step, KV blocks, groups of ranks; with few blocks some requests lose theirs. */
    @ParameterizedTest
    @CsvSource({"1, 64, 16, 64, 1", "1, 24, 8, 7, 1", "1, 9, 3, 64, 1", "2, 64, 16, 64, 1", "3, 20, 4, 9, 1", "1, 64, 16, 8, 2",
        "2, 32, 8, 64, 3"})
    void everyRequestGetsWhatItGetsAloneAndWithoutGuesses(int depth, int budget, int rows, int blocks, int homes)
            throws InterruptedException {
        compare(EAGER, depth, budget, rows, blocks, homes);
    }

    @ParameterizedTest
    @CsvSource({"1, 64, 16, 64, 1", "1, 24, 8, 7, 1", "2, 64, 16, 64, 1", "3, 20, 8, 9, 1", "2, 64, 16, 8, 2"})
    void soItDoesWhereALayerOfTheModelGuesses(int depth, int budget, int rows, int blocks, int homes)
            throws InterruptedException {
        compare(new Speculation.NextLayer(), depth, budget, rows, blocks, homes);
    }

    private static void compare(Speculation speculation, int depth, int budget, int rows, int blocks, int homes)
            throws InterruptedException {
        int requests = 20;
        var guesses = new Guesses();
        Setup setup = Setup.standard().depth(depth).budget(budget).step(rows, 200).blocks(blocks).homes(homes)
                .speculation(speculation);
        try (EngineFixture fixture = setup.build()) {
            fixture.engine.observe(guesses);
            Semaphore gate = fixture.pipeline.gated();
            fixture.engine.start();
            List<Recorder> recorders = IntStream.range(0, requests)
                    .mapToObj(i -> fixture.submit(prompt(promptLength(i), i), sampling(i))).toList();
            gate.release(1_000_000);
            for (int i = 0; i < requests; i++) {
                assertThat(merged(recorders.get(i))).as("request " + i).isEqualTo(alone(i));
            }
            assertThat(fixture.engine.drain(java.time.Duration.ofSeconds(30))).isTrue();
        }
        assertThat(guesses.accepted).hasPositiveValue();
        assertThat(guesses.made.get()).isGreaterThan(guesses.accepted.get());
    }

    @Test
    void aStepYieldsTheGuessesThatComeTrueAndOneMore() throws InterruptedException {
        Samplings oneToken = Samplings.greedy(60).with(s -> s.allowed = List.of(7));
        try (EngineFixture fixture = Setup.standard().speculation(EAGER).start()) {
            var guesses = new Guesses();
            fixture.engine.observe(guesses);
            assertThat(fixture.submit(new int[] {7, 7}, oneToken).tokens()).hasSize(60);
            // The prompt gives the first token; then there are five for each step.
            assertThat(fixture.pipeline.steps).isEqualTo(1 + 12);
            assertThat(guesses.accepted).hasValue(59 - 12);
            assertThat(guesses.made).hasValue(59 - 12);
        }
    }

    /** Two of three guesses of this layer are right about the probabilities; with the draw that chooses the token they come true. */
    @Test
    void aLayerThatIsRightIsRightAtEveryTemperature() throws InterruptedException {
        for (double temperature : new double[] {0, 1, 3}) {
            Samplings samplings = Samplings.seeded(60, 5).with(s -> {
                s.temperature = temperature;
                s.ignoreEos = true;
                s.topK = 10;
            });
            try (EngineFixture fixture = Setup.standard().speculation(new Speculation.NextLayer()).start()) {
                var guesses = new Guesses();
                fixture.engine.observe(guesses);
                assertThat(fixture.submit(prompt(20, 1), samplings).tokens()).hasSize(60);
                assertThat(guesses.accepted.get()).isGreaterThanOrEqualTo(guesses.made.get() / 2);
            }
        }
    }

    @Test
    void anOutputThatEndsAmongGuessesEndsThere() throws InterruptedException {
        Samplings ending = Samplings.greedy(60).with(s -> {
            s.allowed = List.of(7);
            s.stopTokens = List.of(7);
            s.minTokens = 33;
        });
        try (EngineFixture fixture = Setup.standard().speculation(EAGER).start()) {
            Recorder recorder = fixture.submit(new int[] {7, 7}, Samplings.greedy(33).with(s -> s.allowed = List.of(7)));
            assertThat(recorder.tokens()).hasSize(33);
            assertThat(recorder.finished().reason()).isEqualTo(FinishReason.LENGTH);
            // Nothing may be chosen before the minimum: the guesses do not change that.
            assertThat(fixture.submit(new int[] {7, 7}, ending).last()).isInstanceOf(GenerationEvent.Failed.class);
        }
    }

    /** Behind {@code b} the prompt has {@code a}, which may not follow; where the output itself is repeated, the guess is right. */
    @Test
    void whatAConstraintDoesNotAllowIsNotComputed() throws InterruptedException {
        Samplings samplings = Samplings.greedy(40).with(s -> s.constraint = Optional.of(new OutputConstraint.Regex("b{30}")));
        try (EngineFixture fixture = Setup.standard().speculation(EAGER).start()) {
            var guesses = new Guesses();
            fixture.engine.observe(guesses);
            Recorder recorder = fixture.submit(new int[] {1, 0, 1, 0, 1, 0}, samplings);
            assertThat(recorder.text()).startsWith("b".repeat(30));
            assertThat(guesses.accepted).hasPositiveValue();
            assertThat(guesses.made).hasValue(guesses.accepted.get());
        }
    }

    @Test
    void whatIsGuessedTakesBlocksOnlyAsLongAsItMayComeTrue() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().blocks(40).speculation(EAGER).start()) {
            for (int i = 0; i < 12; i++) {
                fixture.submit(prompt(promptLength(i), i), sampling(i)).events();
            }
            assertThat(fixture.engine.drain(java.time.Duration.ofSeconds(30))).isTrue();
            for (int i = 0; i < 3_000 && fixture.engine.status().freeKvBlocks() < 40; i++) {
                Thread.sleep(10);
            }
            assertThat(fixture.engine.status().freeKvBlocks()).isEqualTo(40);
            assertThat(fixture.engine.statistics().preemptions()).isZero();
        }
    }

    /** What a sequence has written beside guesses is shared, and what was guessed in vain is not. */
    @Test
    void onlyTokensOfTheOutputAreFoundInThePrefixCache() throws InterruptedException {
        Samplings samplings = Samplings.seeded(60, 9).with(s -> {
            s.ignoreEos = true;
            s.allowed = FEW;
        });
        int[] prompt = prompt(20, 4);
        try (EngineFixture fixture = Setup.standard().speculation(EAGER).start()) {
            List<Integer> output = fixture.submit(prompt, samplings).tokens();
            int[] both = IntStream.concat(IntStream.of(prompt), output.stream().mapToInt(Integer::intValue)).toArray();
            Samplings shorter = samplings.with(s -> s.maxTokens = OptionalInt.of(40));
            Recorder again = fixture.submit(both, shorter);
            try (EngineFixture other = Setup.standard().start()) {
                assertThat(again.tokens()).isEqualTo(other.submit(both, shorter).tokens());
            }
            assertThat(again.finished().cachedTokens()).isEqualTo((both.length - 1) / 16 * 16);
        }
    }

    /** Three streams with four guesses each would fill every step. */
    @Test
    void guessesLeaveRoomForPrompts() throws InterruptedException {
        Samplings stream = Samplings.greedy(100).with(s -> s.allowed = List.of(7));
        try (EngineFixture fixture = Setup.standard().budget(15).speculation(EAGER).build()) {
            Semaphore gate = fixture.pipeline.gated();
            fixture.engine.start();
            List<Recorder> streams = IntStream.range(0, 3).mapToObj(i -> fixture.submit(new int[] {7, 7}, stream)).toList();
            Recorder prompt = fixture.submit(prompt(40, 1), Samplings.greedy(1));
            gate.release(1_000_000);
            assertThat(prompt.tokens()).hasSize(1);
            assertThat(streams).allSatisfy(each -> assertThat(each.tokens()).hasSize(100));
            assertThat(fixture.pipeline.lastStep(3)).isLessThan(fixture.pipeline.lastStep(0));
        }
    }

    /** Tokens after a certain one, over many seeds, are as frequent as the model says. */
    @Test
    void guessesDoNotChangeTheDistribution() throws InterruptedException {
        int[] prompt = {3, 5, 8, 3, 5};
        int draws = 4_000;
        Map<Integer, Integer> seconds = new HashMap<>();
        int firsts = 0;
        var guesses = new Guesses();
        try (EngineFixture fixture = Setup.standard().queue(8, 2 * draws).speculation(EAGER).start()) {
            fixture.engine.observe(guesses);
            var recorders = new ArrayList<Recorder>();
            for (int seed = 0; seed < draws; seed++) {
                recorders.add(fixture.submit(prompt, Samplings.seeded(4, seed).with(s -> {
                    s.ignoreEos = true;
                    s.allowed = FEW;
                    s.temperature = 2;
                })));
            }
            for (Recorder recorder : recorders) {
                List<Integer> tokens = recorder.tokens();
                if (tokens.getFirst() == 8) {
                    firsts++;
                    seconds.merge(tokens.get(1), 1, Integer::sum);
                }
            }
        }
        assertThat(guesses.accepted.get()).isGreaterThan(draws / 4);
        float[] logits = HashModel.logits(new int[] {3, 5, 8, 3, 5, 8}, 6);
        double sum = FEW.stream().mapToDouble(token -> Math.exp(logits[token] / 2)).sum();
        for (int token : FEW) {
            double expected = Math.exp(logits[token] / 2) / sum;
            double deviation = Math.sqrt(expected * (1 - expected) / firsts);
            assertThat(seconds.getOrDefault(token, 0) / (double) firsts).as("share of " + token)
                    .isBetween(expected - 5 * deviation, expected + 5 * deviation);
        }
    }

    @Test
    void aSeedGivesTheSameTokensWithGuessesAndWithout() throws InterruptedException {
        Samplings samplings = Samplings.seeded(50, 77).with(s -> {
            s.ignoreEos = true;
            s.allowed = FEW;
            s.seed = OptionalLong.of(77);
        });
        try (EngineFixture guessing = Setup.standard().speculation(EAGER).start();
                EngineFixture plain = Setup.standard().start()) {
            assertThat(guessing.submit(prompt(9, 1), samplings).tokens())
                    .isEqualTo(plain.submit(prompt(9, 1), samplings).tokens());
            assertThat(guessing.pipeline.steps).isLessThan(plain.pipeline.steps);
        }
    }
}
