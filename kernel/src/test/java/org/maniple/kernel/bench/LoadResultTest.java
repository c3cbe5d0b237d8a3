package org.maniple.kernel.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class LoadResultTest {

    private static final LoadPlan.Pace PACE = new LoadPlan.Pace.Clients(2);

    private static Answer answer(long start, int tokens, Long... chunks) {
        return new Answer(start, List.of(chunks), chunks[chunks.length - 1], tokens, Optional.empty());
    }

    @Test
    void throughputIsThatOfTheWholeTime() {
        var result = LoadResult.of(PACE,
                List.of(answer(0, 3, 1_000_000_000L, 2_000_000_000L), answer(500_000_000, 5, 4_000_000_000L)));

        assertThat(result.seconds()).isCloseTo(4, within(1e-9));
        assertThat(result.tokensPerSecond()).isCloseTo(2, within(1e-9));
        assertThat(result.requestsPerSecond()).isCloseTo(0.5, within(1e-9));
    }

    @Test
    void theFirstTokenIsTimedFromTheRequestAndOthersFromTheOneBefore() {
        var result = LoadResult.of(PACE, List.of(answer(1_000_000, 3, 4_000_000L, 6_000_000L, 11_000_000L)));

        assertThat(result.firstToken()).hasValueSatisfying(first -> assertThat(first.values()).containsExactly(3.0));
        assertThat(result.betweenTokens()).hasValueSatisfying(between -> assertThat(between.values()).containsExactly(2.0, 5.0));
    }

    @Test
    void failuresAreCountedByTheirReasonAndTimedNowhere() {
        var result = LoadResult.of(PACE, List.of(Answer.failed(0, "status 503"), Answer.failed(0, "status 503")));

        assertThat(result.failures()).containsExactly(java.util.Map.entry("status 503", 2));
        assertThat(result.failed()).isEqualTo(2);
        assertThat(result.firstToken()).isEmpty();
        assertThat(result.tokensPerSecond()).isZero();
    }
}
