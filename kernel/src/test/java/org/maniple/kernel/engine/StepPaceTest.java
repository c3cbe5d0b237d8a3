package org.maniple.kernel.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A machine whose steps take so long for each token: the pace has to find that out. */
class StepPaceTest {

    private static final long PLAIN = 6_000_000;

    private final StepPace pace = new StepPace(2.5, Duration.ZERO);

    private int step(int streams, double perToken) {
        int tokens = Math.min(512, pace.promptTokens(streams, 1, 0));
        long nanos = PLAIN + (long) (tokens * perToken);
        if (tokens == 0) {
            pace.plain(streams, nanos);
        } else {
            pace.withPrompts(streams, streams, tokens, 0, nanos);
        }
        return tokens;
    }

    @Test
    void promptsHaveTheirStepsForThemselvesWhileNothingElseRuns() {
        assertThat(pace.promptTokens(0, 3, 0)).isEqualTo(Integer.MAX_VALUE);
    }

    @Test
    void aStepWithoutPromptsIsMeasuredFirst() {
        assertThat(step(1, 1)).isZero();
        assertThat(step(1, 1)).isEqualTo(StepPace.LEAST);
    }

    @Test
    void stepsBecomeAsLongAsTheyMay() {
        for (int i = 0; i < 20; i++) {
            step(1, 100_000);
        }
        assertThat(step(1, 100_000)).isBetween(85, 90);
        for (int i = 0; i < 20; i++) {
            step(1, 300_000);
        }
        assertThat(step(1, 300_000)).isBetween(28, 30);
    }

    @Test
    void anExpensiveTokenStillGoesOn() {
        for (int i = 0; i < 20; i++) {
            step(1, 50_000_000);
        }
        assertThat(step(1, 50_000_000)).isEqualTo(StepPace.LEAST);
    }

    @Test
    void whereMoreWaitForTheirFirstTokenThanForTheirNextTheyMayTakeMore() {
        for (int i = 0; i < 20; i++) {
            step(2, 100_000);
        }
        int usual = step(2, 100_000);
        assertThat(pace.promptTokens(2, 0.5, 0)).isEqualTo(usual);
        // Four times as many: 10 times as long instead of 2.5 times.
        assertThat(pace.promptTokens(2, 4, 0)).isBetween(6 * usual - 6, 6 * usual + 6);
    }

    @Test
    void oneStepThatWasHeldUpChangesLittle() {
        for (int i = 0; i < 50; i++) {
            step(1, 100_000);
        }
        pace.plain(1, 50 * PLAIN);
        assertThat(pace.promptTokens(1, 1, 0)).isBetween(85, 110);
        pace.withPrompts(1, 1, 90, 0, 100 * PLAIN);
        assertThat(pace.promptTokens(1, 1, 0)).isGreaterThan(50);
    }

    @Test
    void onceInAWhileAStepWithoutPromptsIsMeasuredAgain() {
        int without = 0;
        for (int i = 0; i < 1000; i++) {
            without += step(4, 100_000) == 0 ? 1 : 0;
        }
        assertThat(without).isBetween(3, 5);
    }

    @Test
    void promptsInABatchOfTheirOwnTakeAsLongAsThatTakes() {
        pace.plain(2, PLAIN);
        for (int i = 0; i < 20; i++) {
            pace.withPrompts(2, 0, 50, 0, 50 * 100_000);
        }
        assertThat(pace.promptTokens(2, 1, 0)).isBetween(85, 90);
    }

    /** Some steps in which a prompt goes on from a position. */
    private static void goOn(StepPace pace, int steps, int position, int perToken) {
        for (int i = 0; i < steps; i++) {
            pace.withPrompts(1, 1, 16, position + 16 * i, PLAIN + 16 * perToken);
        }
    }

    @Test
    void stepsNeedNotBeShorterThanAnybodyNoticesUntilItIsKnownWhatAPromptTakesAlone() {
        var patient = new StepPace(2.5, Duration.ofMillis(60));
        patient.plain(1, PLAIN);
        goOn(patient, 20, 0, 1_000_000);
        assertThat(patient.promptTokens(1, 1, 320)).isEqualTo(54);
        patient.plain(2, 100_000_000);
        assertThat(patient.promptTokens(2, 1, 320)).isEqualTo(150);
    }

    @Test
    void aPromptThatTakesMuchLongerThanAloneGoesOnFaster() {
        var patient = new StepPace(2.5, Duration.ofMillis(60));
        patient.alone(512, 0, 512 * 400_000);
        patient.plain(1, PLAIN);
        goOn(patient, 20, 0, 1_000_000);
        assertThat(patient.promptTokens(1, 1, 320)).isEqualTo(54);
        goOn(patient, 40, 320, 100_000);
        assertThat(patient.promptTokens(1, 1, 960)).isBetween(85, 90);
    }

    @Test
    void itGoesOnNoFasterThanForAboutTheTimeThatItTakesAlone() {
        var patient = new StepPace(2.5, Duration.ofMillis(600));
        patient.alone(512, 0, 512 * 400_000);
        patient.plain(1, PLAIN);
        goOn(patient, 20, 0, 500_000);
        // 60 tokens take 36 ms instead of 24 ms.
        assertThat(patient.promptTokens(1, 1, 320)).isEqualTo(60);
    }

    @Test
    void whatATokenTakesAloneDependsOnWhatIsBeforeIt() {
        var patient = new StepPace(2.5, Duration.ofMillis(60));
        patient.alone(512, 0, 512 * 400_000);
        patient.alone(512, 3584, 512 * 1_000_000);
        patient.plain(1, PLAIN);
        goOn(patient, 20, 0, 1_000_000);
        assertThat(patient.promptTokens(1, 1, 320)).isEqualTo(54);
        assertThat(patient.promptTokens(1, 1, 4000)).isEqualTo(12);
    }

    @Test
    void aPromptThatHasGoneOnFasterThanItHadToMayBeSlowerLater() {
        var patient = new StepPace(2.5, Duration.ofMillis(60));
        patient.alone(512, 0, 512 * 1_000_000);
        patient.plain(1, PLAIN);
        goOn(patient, 40, 0, 100_000);
        goOn(patient, 10, 640, 2_000_000);
        assertThat(patient.promptTokens(1, 1, 800)).isEqualTo(StepPace.LEAST);
        goOn(patient, 40, 800, 2_000_000);
        assertThat(patient.promptTokens(1, 1, 1440)).isEqualTo(27);
    }

    @Test
    void zeroAllowsEverything() {
        var free = new StepPace(0, Duration.ZERO);
        free.plain(1, PLAIN);
        assertThat(free.promptTokens(1, 1, 0)).isEqualTo(Integer.MAX_VALUE);
    }
}
