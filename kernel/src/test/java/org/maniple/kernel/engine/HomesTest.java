package org.maniple.kernel.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.maniple.kernel.engine.EngineFixture.prompt;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.engine.RefusedException;
import org.maniple.api.engine.UnitStatus.HomeStatus;
import org.maniple.kernel.engine.EngineFixture.Setup;

/** Sequences spread over the homes of a unit with data parallelism. */
class HomesTest {

    private static Samplings greedy(int tokens) {
        return Samplings.greedy(tokens).with(s -> s.ignoreEos = true);
    }

    private static List<Integer> alone(int length, int seed, int tokens) throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().start()) {
            return fixture.submit(prompt(length, seed), greedy(tokens)).tokens();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void twentyRequestsAreSplitInHalves(int depth) throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().depth(depth).queue(10, 100).homes(2).build()) {
            Semaphore gate = fixture.pipeline.gated();
            fixture.engine.start();
            var recorders = new ArrayList<Recorder>();
            for (int i = 0; i < 20; i++) {
                recorders.add(fixture.submit(prompt(9, i), greedy(12)));
            }
            gate.release(100_000);
            for (int i = 0; i < 20; i++) {
                assertThat(recorders.get(i).tokens()).isEqualTo(alone(9, i, 12));
            }
            assertThat(fixture.engine.status().homes()).extracting(HomeStatus::admittedRequests).containsExactly(10L, 10L);
            assertThat(fixture.pipeline.tokens(0)).isEqualTo(fixture.pipeline.tokens(1)).isEqualTo(10 * (9 + 11));
        }
    }

    @Test
    void anIdleHomeHasNoTokens() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().homes(3).start()) {
            fixture.submit(prompt(20, 1), greedy(5)).finished();
            assertThat(List.of(fixture.pipeline.tokens(0), fixture.pipeline.tokens(1), fixture.pipeline.tokens(2)))
                    .containsExactly(24, 0, 0);
        }
    }

    @Test
    void aPinnedRequestRunsAtItsHomeWhateverTheOthersDo() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().homes(2).start()) {
            for (int i = 0; i < 4; i++) {
                assertThat(fixture.submitTo(1, prompt(20, i), greedy(5)).tokens()).isEqualTo(alone(20, i, 5));
            }
            assertThat(fixture.engine.status().homes()).extracting(HomeStatus::admittedRequests).containsExactly(0L, 4L);
        }
    }

    @Test
    void aHomeThatDoesNotExistIsRefused() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().homes(2).start()) {
            assertThatThrownBy(() -> fixture.submitTo(2, prompt(3, 1), greedy(1)))
                    .isInstanceOfSatisfying(RefusedException.class,
                            e -> assertThat(e.reason()).isEqualTo(RefusedException.Reason.INVALID))
                    .hasMessage("data_parallel_rank 2 is out of range [0, 2): the sequences of this unit are spread over"
                            + " 2 groups of ranks");
        }
    }

    @Test
    void aHomeWithoutFreeBlocksDoesNotKeepOthersWaiting() throws InterruptedException {
        // The long ones need 6 of the 7 blocks of a home to begin.
        try (EngineFixture fixture = Setup.standard().blocks(7).homes(2).build()) {
            Semaphore gate = fixture.pipeline.gated();
            fixture.engine.start();
            Recorder first = fixture.submitTo(0, prompt(90, 1), greedy(20));
            Recorder second = fixture.submitTo(0, prompt(90, 2), greedy(20));
            Recorder other = fixture.submitTo(1, prompt(40, 3), greedy(2));
            Recorder anywhere = fixture.submit(prompt(40, 4), greedy(2));
            gate.release(10);
            assertThat(other.tokens()).isEqualTo(alone(40, 3, 2));
            assertThat(anywhere.tokens()).isEqualTo(alone(40, 4, 2));
            List<HomeStatus> homes = fixture.engine.status().homes();
            assertThat(homes).extracting(HomeStatus::runningRequests).first().isEqualTo(1);
            assertThat(homes).extracting(HomeStatus::waitingRequests).containsExactly(1, 0);
            gate.release(100_000);
            assertThat(first.tokens()).isEqualTo(alone(90, 1, 20));
            assertThat(second.tokens()).isEqualTo(alone(90, 2, 20));
            assertThat(fixture.engine.status().homes()).extracting(HomeStatus::admittedRequests).containsExactly(2L, 2L);
        }
    }

    @Test
    void aRequestThatFitsNowhereIsNotOvertakenByLaterOnes() throws InterruptedException {
        // The long ones need 6 of the 7 blocks of a home to begin, the short one needs 1.
        try (EngineFixture fixture = Setup.standard().blocks(7).homes(2).build()) {
            Semaphore gate = fixture.pipeline.gated();
            fixture.engine.start();
            List<Recorder> longs = IntStream.range(0, 3).mapToObj(i -> fixture.submit(prompt(90, i), greedy(20))).toList();
            Recorder shortOne = fixture.submit(prompt(3, 9), greedy(1));
            gate.release(3);
            assertThat(longs.getFirst().firstToken.await(20, TimeUnit.SECONDS)).isTrue();
            assertThat(fixture.engine.status().waitingRequests()).isEqualTo(2);
            gate.release(100_000);
            assertThat(shortOne.tokens()).isEqualTo(alone(3, 9, 1));
            for (int i = 0; i < 3; i++) {
                assertThat(longs.get(i).tokens()).isEqualTo(alone(90, i, 20));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void seatsAndTokensOfAStepCountForEachHome(int homes) throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().budget(16).queue(4, 100).step(16, 200).homes(homes).build()) {
            Semaphore gate = fixture.pipeline.gated();
            fixture.engine.start();
            var recorders = IntStream.range(0, 12).mapToObj(i -> fixture.submit(prompt(30, i), greedy(20))).toList();
            gate.release(100_000);
            for (int i = 0; i < 12; i++) {
                assertThat(recorders.get(i).tokens()).isEqualTo(alone(30, i, 20));
            }
            for (int home = 0; home < homes; home++) {
                assertThat(fixture.pipeline.mostSpans(home)).isEqualTo(4);
            }
        }
    }

    @Test
    void allBlocksComeBackToTheirHomes() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().homes(2).start()) {
            var recorders = IntStream.range(0, 10).mapToObj(i -> fixture.submit(prompt(30, i), greedy(20))).toList();
            recorders.forEach(Recorder::finished);
            assertThat(fixture.pipeline.idled.await(20, TimeUnit.SECONDS)).isTrue();
            assertThat(fixture.engine.status().homes()).extracting(HomeStatus::freeKvBlocks).containsExactly(64, 64);
            assertThat(fixture.engine.status().kvBlocks()).isEqualTo(128);
            assertThat(fixture.engine.status().freeKvBlocks()).isEqualTo(128);
        }
    }
}
