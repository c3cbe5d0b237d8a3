package org.maniple.kernel.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.maniple.kernel.engine.EngineFixture.prompt;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.GenerationEvent.FinishReason;
import org.maniple.api.engine.OutputConstraint;
import org.maniple.api.engine.RefusedException;
import org.maniple.kernel.engine.EngineFixture.Setup;

/** Requests with a constraint on their output, on an engine whose tokens are letters and runs of letters. */
class StructuredOutputTest {

    private static final String PATTERN = "(abc|b[a-f]{2,5}z|x)*yes";

    private static Samplings constrained(long seed, OutputConstraint constraint) {
        return Samplings.seeded(60, seed).with(s -> {
            s.temperature = seed % 3 == 0 ? 0 : 1.5;
            s.constraint = Optional.of(constraint);
        });
    }

    @Test
    void whatEndsByItselfIsWhatTheConstraintDemands() throws InterruptedException {
        int ended = 0;
        try (EngineFixture fixture = Setup.standard().start()) {
            for (int seed = 0; seed < 20; seed++) {
                Recorder recorder = fixture.submit(prompt(7, seed), constrained(seed, new OutputConstraint.Regex(PATTERN)));
                if (recorder.finished().reason() == FinishReason.STOP) {
                    assertThat(written(recorder)).matches(PATTERN);
                    ended++;
                }
            }
        }
        assertThat(ended).isPositive();
    }

    /** The codec of these tests shows the ending token too. */
    private static String written(Recorder recorder) {
        List<Integer> tokens = recorder.tokens();
        return LetterCodec.text(tokens.subList(0, tokens.size() - 1));
    }

    @ParameterizedTest
    @CsvSource({"1, 64, 0, 16, 1", "1, 9, 5, 3, 1", "3, 16, 7, 16, 1", "2, 64, 0, 16, 2"})
    void tokensAreTheSameAloneAndInABatchHoweverItIsCut(int depth, int budget, int chunk, int rows, int homes)
            throws InterruptedException {
        var expected = new ArrayList<List<Integer>>();
        for (int i = 0; i < 6; i++) {
            try (EngineFixture alone = Setup.standard().start()) {
                expected.add(alone.submit(prompt(5 + 9 * i, i), mixed(i)).tokens());
            }
        }
        Setup setup = Setup.standard().depth(depth).budget(budget).chunk(chunk).step(rows, 200).homes(homes);
        try (EngineFixture fixture = setup.build()) {
            Semaphore gate = fixture.pipeline.gated();
            fixture.engine.start();
            var recorders = new ArrayList<Recorder>();
            for (int i = 0; i < 6; i++) {
                recorders.add(fixture.submit(prompt(5 + 9 * i, i), mixed(i)));
            }
            gate.release(100_000);
            assertThat(recorders.stream().map(Recorder::tokens)).isEqualTo(expected);
        }
    }

    /** With and without constraints. */
    private static Samplings mixed(int i) {
        return i % 3 == 2 ? Samplings.seeded(20, i) : constrained(i, new OutputConstraint.Regex(i < 3 ? PATTERN : "[a-z]{9,12}"));
    }

    @Test
    void onlyWhatIsAllowedIsChosenHoweverUnlikelyItIs() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().start()) {
            for (int seed = 0; seed < 6; seed++) {
                Recorder recorder = fixture.submit(prompt(7, seed), constrained(seed, new OutputConstraint.Choice(List.of("qq")))
                        .with(s -> s.bias = Map.of('q' - 'a', -100.0, EngineFixture.EOS, -100.0)));
                assertThat(recorder.finished().reason()).isEqualTo(FinishReason.STOP);
                assertThat(written(recorder)).isEqualTo("qq");
            }
        }
    }

    @Test
    void theModelThinksFreelyAndThenAnswersAsTheConstraintDemands() throws InterruptedException {
        int ended = 0;
        try (EngineFixture fixture = Setup.standard().start()) {
            for (int seed = 0; seed < 20; seed++) {
                Recorder recorder = fixture.submit(prompt(7, seed), constrained(seed,
                        new OutputConstraint.AfterReasoning("(", "x", true, new OutputConstraint.Regex("[qz]{3}"))));
                if (recorder.finished().reason() == FinishReason.STOP) {
                    assertThat(written(recorder)).matches("[^x]*x[qz]{3}");
                    ended++;
                }
            }
        }
        assertThat(ended).isPositive();
    }

    @Test
    void aCompleteOutputEndsEvenIfMoreTokensWereWanted() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().start()) {
            Recorder recorder = fixture.submit(prompt(7, 1),
                    constrained(1, new OutputConstraint.Choice(List.of("a"))).with(s -> s.minTokens = 3));
            assertThat(LetterCodec.text(recorder.tokens().subList(0, 1))).isEqualTo("a");
            assertThat(recorder.tokens()).containsExactly(0, EngineFixture.EOS, EngineFixture.EOS);
        }
    }

    @Test
    void aTokenThatEndsTheOutputIsNoPartOfIt() throws InterruptedException {
        // The ending token is spelled "lzd" here; it must not come where these letters may.
        assertThat(LetterCodec.piece(EngineFixture.EOS)).matches("[a-z]+");
        try (EngineFixture fixture = Setup.standard().start()) {
            for (int seed = 0; seed < 10; seed++) {
                Recorder recorder = fixture.submit(prompt(7, seed), constrained(seed, new OutputConstraint.Regex("[a-z]{40}"))
                        .with(s -> s.bias = Map.of(EngineFixture.EOS, 100.0)));
                assertThat(written(recorder)).hasSize(40);
            }
        }
    }

    @Test
    void whatLeavesNothingToChooseFailsAndSaysSo() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().start()) {
            Recorder recorder = fixture.submit(prompt(7, 1),
                    constrained(1, new OutputConstraint.Choice(List.of("ab"))).with(s -> s.allowed = List.of(5)));
            assertThat(recorder.last()).isInstanceOfSatisfying(GenerationEvent.Failed.class,
                    failed -> assertThat(failed.message()).startsWith("No token may be chosen: a constraint on the output"));
        }
    }

    @Test
    void whatCannotBeCompiledIsRefusedBeforeItIsQueued() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().start()) {
            assertThatThrownBy(() -> fixture.submit(prompt(7, 1), constrained(1, new OutputConstraint.Regex("(a"))))
                    .isInstanceOfSatisfying(RefusedException.class,
                            refused -> assertThat(refused.reason()).isEqualTo(RefusedException.Reason.INVALID))
                    .hasMessage("The regular expression cannot be used: a group is not closed (at character 2).");
            assertThat(fixture.engine.status().waitingRequests()).isZero();
        }
    }

    @Test
    void differentConstraintsAreFollowedAtTheSameTime() throws InterruptedException {
        List<String> patterns = List.of("a{5,9}b", "(cd)+e", "[x-z]{12}", "hello|world");
        try (EngineFixture fixture = Setup.standard().start()) {
            var recorders = new ArrayList<Recorder>();
            for (int i = 0; i < 24; i++) {
                recorders.add(fixture.submit(prompt(4 + i, i),
                        constrained(i, new OutputConstraint.Regex(patterns.get(i % patterns.size())))));
            }
            for (int i = 0; i < 24; i++) {
                if (recorders.get(i).finished().reason() == FinishReason.STOP) {
                    assertThat(written(recorders.get(i))).matches(patterns.get(i % patterns.size()));
                }
            }
            assertThat(Arrays.asList(recorders.get(2), recorders.get(3)))
                    .allSatisfy(recorder -> assertThat(recorder.finished().reason()).isEqualTo(FinishReason.STOP));
        }
    }
}
