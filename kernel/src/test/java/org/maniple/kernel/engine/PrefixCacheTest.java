package org.maniple.kernel.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.maniple.kernel.engine.EngineFixture.prompt;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.UnitStatus.HomeStatus;
import org.maniple.kernel.engine.EngineFixture.Setup;

/** Requests that begin with the same tokens share KV blocks, of 16 tokens each. */
class PrefixCacheTest {

    private static Samplings greedy(int tokens) {
        return Samplings.greedy(tokens).with(s -> s.ignoreEos = true);
    }

    private static List<Integer> alone(int[] prompt, int tokens) throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().length(512).withoutPrefixCache().start()) {
            return fixture.submit(prompt, greedy(tokens)).tokens();
        }
    }

    private static int[] joined(int[] first, int[] second) {
        return IntStream.concat(Arrays.stream(first), Arrays.stream(second)).toArray();
    }

    private static int[] ints(List<Integer> values) {
        return values.stream().mapToInt(Integer::intValue).toArray();
    }

    @ParameterizedTest
    @CsvSource({"40, 32", "33, 32", "32, 16", "31, 16", "17, 16", "16, 0", "1, 0"})
    void aSecondRequestComputesWhatIsNotInFullBlocksAndAlwaysTheLastToken(int length, int cached) throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().start()) {
            List<Integer> first = fixture.submit(prompt(length, 1), greedy(5)).tokens();
            int before = fixture.pipeline.tokens(0);
            Recorder second = fixture.submit(prompt(length, 1), greedy(5));
            assertThat(second.tokens()).isEqualTo(first).isEqualTo(alone(prompt(length, 1), 5));
            assertThat(second.finished().cachedTokens()).isEqualTo(cached);
            assertThat(fixture.pipeline.tokens(0) - before).isEqualTo(length - cached + 4);
            assertThat(fixture.engine.statistics().prefixCacheQueries()).isEqualTo(2 * length);
            assertThat(fixture.engine.statistics().prefixCacheHits()).isEqualTo(cached);
        }
    }

    @Test
    void onlyTheCommonBeginningIsShared() throws InterruptedException {
        int[] system = prompt(50, 1);
        try (EngineFixture fixture = Setup.standard().start()) {
            for (int i = 0; i < 5; i++) {
                int[] whole = joined(system, prompt(20, 10 + i));
                Recorder recorder = fixture.submit(whole, greedy(8));
                assertThat(recorder.tokens()).isEqualTo(alone(whole, 8));
                assertThat(recorder.finished().cachedTokens()).isEqualTo(i == 0 ? 0 : 48);
            }
        }
    }

    @Test
    void theNextTurnOfAConversationFindsTheAnswerTooWhereItIsComputed() throws InterruptedException {
        int[] question = prompt(20, 1);
        try (EngineFixture fixture = Setup.standard().start()) {
            int[] answer = ints(fixture.submit(question, greedy(30)).tokens());
            int[] next = joined(joined(question, answer), prompt(10, 2));
            Recorder recorder = fixture.submit(next, greedy(8));
            assertThat(recorder.tokens()).isEqualTo(alone(next, 8));
            // 49 tokens of the first turn have been computed.
            assertThat(recorder.finished().cachedTokens()).isEqualTo(48);
        }
    }

    @Test
    void aSaltSeparates() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().start()) {
            assertThat(fixture.submit(prompt(40, 1), greedy(3), 0, "a").finished().cachedTokens()).isZero();
            assertThat(fixture.submit(prompt(40, 1), greedy(3), 0, "b").finished().cachedTokens()).isZero();
            assertThat(fixture.submit(prompt(40, 1), greedy(3)).finished().cachedTokens()).isZero();
            assertThat(fixture.submit(prompt(40, 1), greedy(3), 0, "a").finished().cachedTokens()).isEqualTo(32);
            assertThat(fixture.submit(prompt(40, 1), greedy(3), 0, "b").finished().cachedTokens()).isEqualTo(32);
            assertThat(fixture.submit(prompt(40, 1), greedy(3)).finished().cachedTokens()).isEqualTo(32);
        }
    }

    @Test
    void logProbabilitiesOfAPromptAreComputedAnew() throws InterruptedException {
        Samplings samplings = greedy(3).with(s -> s.promptLogprobs = OptionalInt.of(2));
        try (EngineFixture fixture = Setup.standard().start()) {
            List<GenerationEvent> first = fixture.submit(prompt(40, 1), samplings).events();
            Recorder second = fixture.submit(prompt(40, 1), samplings);
            assertThat(second.events().getFirst()).isEqualTo(first.getFirst()).isInstanceOf(GenerationEvent.Prompt.class);
            assertThat(second.finished().cachedTokens()).isZero();
            // Its blocks are good enough for others.
            assertThat(fixture.submit(prompt(40, 1), greedy(3)).finished().cachedTokens()).isEqualTo(32);
        }
    }

    @Test
    void withoutItNothingIsShared() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().withoutPrefixCache().start()) {
            fixture.submit(prompt(40, 1), greedy(3)).finished();
            assertThat(fixture.submit(prompt(40, 1), greedy(3)).finished().cachedTokens()).isZero();
            assertThat(fixture.engine.statistics().prefixCacheQueries()).isZero();
        }
    }

    @Test
    void afterAResetNothingIsFound() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().start()) {
            fixture.submit(prompt(40, 1), greedy(3)).finished();
            fixture.engine.resetPrefixCache();
            assertThat(fixture.submit(prompt(40, 1), greedy(3)).finished().cachedTokens()).isZero();
            assertThat(fixture.submit(prompt(40, 1), greedy(3)).finished().cachedTokens()).isEqualTo(32);
        }
    }

    @Test
    void whatNobodyHasUsedForLongestGoesFirst() throws InterruptedException {
        // Each fills 3 of 8 blocks, and needs a fourth for its answer.
        try (EngineFixture fixture = Setup.standard().blocks(8).start()) {
            for (int prompt : new int[] {1, 2, 1, 3}) {
                fixture.submit(prompt(48, prompt), greedy(3)).finished();
            }
            assertThat(fixture.submit(prompt(48, 1), greedy(3)).finished().cachedTokens()).isEqualTo(32);
            Recorder gone = fixture.submit(prompt(48, 2), greedy(3));
            assertThat(gone.finished().cachedTokens()).isLessThan(32);
            assertThat(gone.tokens()).isEqualTo(alone(prompt(48, 2), 3));
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 64", "1, 500", "2, 64", "3, 48"})
    void requestsThatComeTogetherComputeTheirCommonBeginningOnce(int depth, int budget) throws InterruptedException {
        int[] system = prompt(240, 1);
        try (EngineFixture fixture = Setup.standard().length(512).depth(depth).budget(budget).build()) {
            Semaphore gate = fixture.pipeline.gated();
            fixture.engine.start();
            List<int[]> prompts = IntStream.range(0, 6).mapToObj(i -> joined(system, prompt(4 + i, i))).toList();
            List<Recorder> recorders = prompts.stream().map(each -> fixture.submit(each, greedy(4))).toList();
            gate.release(100_000);
            int rests = 0;
            for (int i = 0; i < 6; i++) {
                assertThat(recorders.get(i).tokens()).isEqualTo(alone(prompts.get(i), 4));
                rests += 4 + i + 3;
            }
            assertThat(fixture.pipeline.tokens(0)).isLessThanOrEqualTo(240 + rests + 6 * 16);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void sharedBlocksSurviveTheEndAndThePreemptionOfThoseThatShareThem(int depth) throws InterruptedException {
        int[] system = prompt(33, 1);
        try (EngineFixture fixture = Setup.standard().depth(depth).blocks(8).build()) {
            Semaphore gate = fixture.pipeline.gated();
            fixture.engine.start();
            var prompts = new ArrayList<int[]>();
            var recorders = new ArrayList<Recorder>();
            for (int i = 0; i < 12; i++) {
                prompts.add(joined(system, prompt(i, i)));
                recorders.add(fixture.submit(prompts.get(i), greedy(10 + 5 * i)));
            }
            gate.release(1_000_000);
            for (int i = 0; i < 12; i++) {
                assertThat(recorders.get(i).tokens()).isEqualTo(alone(prompts.get(i), 10 + 5 * i));
            }
            assertThat(fixture.engine.statistics().preemptions()).isPositive();
            assertThat(fixture.pipeline.idled.await(20, TimeUnit.SECONDS)).isTrue();
            assertThat(fixture.engine.status().freeKvBlocks()).isEqualTo(8);
        }
    }

    @Test
    void everyHomeHasItsOwnAndRequestsGoWhereTheirBeginningIs() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().homes(2).start()) {
            fixture.submitTo(1, prompt(40, 1), greedy(3)).finished();
            assertThat(fixture.pipeline.idled.await(20, TimeUnit.SECONDS)).isTrue();
            assertThat(fixture.submit(prompt(40, 1), greedy(3)).finished().cachedTokens()).isEqualTo(32);
            assertThat(fixture.engine.status().homes()).extracting(HomeStatus::admittedRequests).containsExactly(0L, 2L);
            Recorder elsewhere = fixture.submitTo(0, prompt(40, 1), greedy(3));
            assertThat(elsewhere.finished().cachedTokens()).isZero();
            assertThat(elsewhere.tokens()).isEqualTo(alone(prompt(40, 1), 3));
        }
    }
}
