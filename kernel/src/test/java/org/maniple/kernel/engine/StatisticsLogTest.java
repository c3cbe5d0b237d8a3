package org.maniple.kernel.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.maniple.api.engine.UnitStatus;
import org.maniple.api.engine.UnitStatus.HomeStatus;

class StatisticsLogTest {

    private static final long SECOND = 1_000_000_000L;

    private final List<String> lines = new ArrayList<>();
    private List<HomeStatus> homes = List.of(new HomeStatus(0, 2, 0, 9, 200, 150));
    private int waiting = 3;
    private final StatisticsLog log = new StatisticsLog(2, this::status, lines::add, 0);

    @AfterEach
    void close() {
        log.close();
    }

    private UnitStatus status() {
        return new UnitStatus(true, List.of(), 1, List.of(), List.of(), Map.of(), 0, waiting, 0, 0, homes);
    }

    @Test
    void saysInVllmsWordsWhatHasHappened() {
        log.firstToken(0, 505, 1);
        for (int i = 0; i < 99; i++) {
            log.nextToken(0, 1);
        }
        log.report(10 * SECOND);

        assertThat(lines)
                .containsExactly("Engine 000: Avg prompt throughput: 50.5 tokens/s, Avg generation throughput: 10.0 tokens/s, "
                        + "Running: 2 reqs, Waiting: 3 reqs, GPU KV cache usage: 25.0%, Prefix cache hit rate: 0.0%");
    }

    @Test
    void saysHowManyTokensOfPromptsWereFoundInTheCache() {
        homes = List.of(new HomeStatus(0, 2, 0, 9, 200, 150, 0, 300, 100));
        log.report(10 * SECOND);

        assertThat(lines.getFirst()).endsWith(", Prefix cache hit rate: 33.3%");
    }

    @Test
    void saysHowManyGuessesWereRight() {
        log.speculated(0, 4, 3);
        log.speculated(0, 2, 0);
        log.report(10 * SECOND);
        log.report(20 * SECOND);

        assertThat(lines.getFirst()).endsWith(", Mean acceptance length: 2.50, Avg Draft acceptance rate: 50.0%");
        assertThat(lines.getLast()).as("once").endsWith("Prefix cache hit rate: 0.0%");
    }

    @Test
    void isSilentWhileThereIsNothingToDoAfterALineThatSaysSo() {
        log.report(10 * SECOND);
        homes = List.of(new HomeStatus(0, 0, 0, 9, 200, 200));
        waiting = 0;
        log.report(20 * SECOND);
        log.report(30 * SECOND);
        log.report(40 * SECOND);

        assertThat(lines).hasSize(2);
        assertThat(lines.getLast()).contains("Avg generation throughput: 0.0 tokens/s", "Running: 0 reqs");
    }

    @Test
    void hasALineForEachGroupWithItsPartOfWhatWaitsForAny() {
        homes = List.of(new HomeStatus(0, 2, 0, 9, 200, 150), new HomeStatus(1, 1, 1, 9, 200, 50));
        waiting = 4;
        log.firstToken(1, 10, 1);
        log.report(10 * SECOND);

        assertThat(lines).hasSize(2);
        assertThat(lines.get(0)).startsWith("Engine 000: ").contains("prompt throughput: 0.0",
                "Running: 2 reqs, Waiting: 2 reqs");
        assertThat(lines.get(1)).startsWith("Engine 001: ").contains("prompt throughput: 1.0", "Running: 1 reqs, Waiting: 2 reqs",
                "usage: 75.0%");
    }
}
