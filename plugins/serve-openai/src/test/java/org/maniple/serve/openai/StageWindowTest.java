package org.maniple.serve.openai;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.maniple.api.engine.UnitStatus.RankStatus;
import org.maniple.api.engine.UnitStatus.StepTimes;
import org.maniple.serve.openai.StageWindow.Stage;

class StageWindowTest {

    private static final long SECOND = 1_000_000_000L;

    /** A rank with seconds of computing, communication and waiting. */
    private static RankStatus rank(int number, int stage, double compute, double communication, double waiting) {
        var times = new StepTimes(9, (long) (compute * SECOND), (long) (communication * SECOND), (long) (waiting * SECOND));
        return new RankStatus(number, "node", 1, Map.of("pp", stage, "tp", number), "ready", 0, 0, 0, 0, 0, times);
    }

    private final StageWindow window = new StageWindow(List.of(rank(0, 0, 100, 0, 0), rank(1, 0, 100, 0, 0)), 0);

    @Test
    void busyAreRanksThatComputeOrExchangeButNotThoseThatWait() {
        List<Stage> stages = window.look(List.of(rank(0, 0, 103, 2, 5), rank(1, 0, 101, 2, 7)), 10 * SECOND);

        assertThat(stages).singleElement().satisfies(stage -> assertThat(stage.busy()).isEqualTo(0.4));
    }

    @Test
    void theSlowestRankIsTheOneThatComputedLongest() {
        List<Stage> stages = window.look(List.of(rank(0, 0, 103, 2, 5), rank(1, 0, 101, 2, 7)), 10 * SECOND);

        assertThat(stages.getFirst().slowest()).hasValue(0);
        assertThat(stages.getFirst().imbalance()).isEqualTo(1.5);
    }

    @Test
    void thereIsNoSlowestOfOneRankOrOfRanksThatDidNothing() {
        assertThat(window.look(List.of(rank(0, 0, 100, 0, 0), rank(1, 0, 100, 0, 0)), 10 * SECOND)).extracting(Stage::slowest)
                .containsExactly(OptionalInt.empty());
        var single = new StageWindow(List.of(), 0);
        assertThat(single.look(List.of(rank(0, 0, 1, 0, 0), rank(1, 1, 2, 0, 0)), 10 * SECOND)).extracting(Stage::slowest)
                .containsExactly(OptionalInt.empty(), OptionalInt.empty());
    }

    @Test
    void whatIsLongAgoNoLongerCounts() {
        window.look(List.of(rank(0, 0, 109, 0, 0), rank(1, 0, 109, 0, 0)), 10 * SECOND);
        window.look(List.of(rank(0, 0, 109, 0, 0), rank(1, 0, 109, 0, 0)), 15 * SECOND);

        assertThat(window.look(List.of(rank(0, 0, 109, 0, 0), rank(1, 0, 109, 0, 0)), 20 * SECOND)).extracting(Stage::busy)
                .containsExactly(0.0);
    }

    @Test
    void whoeverAsksOftenStillSeesSomeSeconds() {
        for (int tenth = 1; tenth <= 200; tenth++) {
            double done = 100 + tenth / 20.0;
            double busy = window.look(List.of(rank(0, 0, done, 0, 0), rank(1, 0, done, 0, 0)), tenth * SECOND / 10).getFirst()
                    .busy();
            assertThat(busy).isBetween(0.49, 0.51);
        }
    }
}
