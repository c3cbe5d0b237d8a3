package org.maniple.kernel.balance;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.maniple.api.engine.ExpertStatus;
import org.maniple.kernel.step.ExpertOrder;

/** Rounds on two ranks, of three layers with three experts in two slots of each rank. */
class RebalancingRoundTest {

    private static final int INTERVAL = 4;
    private final RoundUnit unit = new RoundUnit(INTERVAL, 1, 1);

    @AfterEach
    void close() {
        unit.close();
    }

    private List<ExpertOrder> steps(int count) {
        return IntStream.range(0, count).mapToObj(i -> unit.step()).toList();
    }

    @Test
    void aRoundBeginsAtTheIntervalAndChangesOneChunkAfterTheOther() {
        assertThat(steps(5)).containsExactly(ExpertOrder.NONE, ExpertOrder.NONE, ExpertOrder.NONE, ExpertOrder.NONE,
                ExpertOrder.COLLECT);
        for (int layer = 0; layer < 3; layer++) {
            unit.deliver(2);
            assertThat(unit.step()).isEqualTo(ExpertOrder.COMMIT);
            int changed = layer + 1;
            assertThat(unit.director().status().layers()).extracting(ExpertStatus.Layer::version)
                    .isEqualTo(IntStream.range(0, 3).mapToObj(i -> i < changed ? 1 : 0).toList());
            unit.requireWeightsToFitTables();
        }
        unit.deliver(2);
        assertThat(unit.step()).as("the next interval").isEqualTo(ExpertOrder.COLLECT);
        assertThat(unit.director().status().rounds()).isEqualTo(1);
        assertThat(unit.lines()).singleElement().asString()
                .isEqualTo("experts: round 1: balancedness 0.700 before, 0.875 after; 3 of 3 layers changed");
    }

    @Test
    void layersOfAChunkChangeOnTheSameStep() {
        try (var two = new RoundUnit(INTERVAL, 2, 1)) {
            IntStream.range(0, 5).forEach(i -> two.step());
            two.deliver(2);
            two.step();
            assertThat(two.director().status().layers()).extracting(ExpertStatus.Layer::version).containsExactly(1, 1, 0);
        }
    }

    @Test
    void loadsOfAllRanksAreAddedUpAndShown() {
        steps(5);
        unit.deliver(2);
        assertThat(unit.director().status().layers().getFirst().loads()).containsExactly(4L * INTERVAL, 2L * INTERVAL,
                1L * INTERVAL);
    }

    @Test
    void stepsGoOnWhileARankIsLate() {
        var late = new CountDownLatch(1);
        unit.beforeLoad(1, late);
        steps(5);
        unit.deliver(1);
        assertThat(steps(10)).containsOnly(ExpertOrder.NONE);
        late.countDown();
        unit.deliver(1);
        assertThat(unit.step()).isEqualTo(ExpertOrder.COMMIT);
    }

    @Test
    void aRoundThatTakesTooLongIsGivenUpAndTheNextOneIsTakenUp() {
        var late = new CountDownLatch(1);
        unit.beforeLoad(1, late);
        steps(5);
        unit.deliver(1);
        unit.pass(RoundUnit.LIMIT.plusSeconds(1));
        assertThat(unit.step()).isEqualTo(ExpertOrder.ABANDON);
        assertThat(unit.lines()).containsExactly(
                "experts: round 1 of rebalancing is given up after 0 of its chunks: ranks [1] have not brought the weights of chunk 0 within 60 s");
        late.countDown();
        unit.requireWeightsToFitTables();
        assertThat(steps(3)).containsExactly(ExpertOrder.NONE, ExpertOrder.NONE, ExpertOrder.COLLECT);
        unit.deliver(2);
        assertThat(unit.step()).isEqualTo(ExpertOrder.COMMIT);
        unit.requireWeightsToFitTables();
        assertThat(unit.director().status().abandonedRounds()).isEqualTo(1);
    }

    @Test
    void aLongPauseBetweenStepsIsNoReasonToGiveUpIfAllAreReady() {
        steps(5);
        unit.deliver(2);
        unit.pass(RoundUnit.LIMIT.multipliedBy(100));
        assertThat(unit.step()).isEqualTo(ExpertOrder.COMMIT);
    }

    @Test
    void aRankThatCannotLoadIsNamed() {
        unit.failLoads(1, "tensor experts.2.up is missing");
        steps(5);
        unit.deliver(2);
        assertThat(unit.step()).isEqualTo(ExpertOrder.ABANDON);
        assertThat(unit.lines()).containsExactly("experts: round 1 of rebalancing is given up after 0 of its chunks: "
                + "rank 1 cannot bring weights: tensor experts.2.up is missing");
        assertThat(unit.director().status().layers()).extracting(ExpertStatus.Layer::version).containsExactly(0, 0, 0);
    }

    @Test
    void reportsOfAnEarlierRoundAreTooLate() {
        steps(5);
        List<RoundUnit.Told> old = unit.take(2);
        unit.pass(RoundUnit.LIMIT.plusSeconds(1));
        assertThat(steps(4)).containsExactly(ExpertOrder.ABANDON, ExpertOrder.NONE, ExpertOrder.NONE, ExpertOrder.COLLECT);
        old.forEach(told -> unit.director().arrived(told.rank(), told.report()));
        assertThat(unit.step()).isEqualTo(ExpertOrder.NONE);
    }

    @Test
    void aRankThatIsNotReadyIsAnErrorThatNamesIt() {
        unit.beforeLoad(1, new CountDownLatch(1));
        steps(5);
        ExpertReport ready = unit.take(1).getFirst().report();
        unit.director().arrived(0, ready);
        unit.director().arrived(1, ready);
        assertThatThrownBy(unit::step).isInstanceOf(IllegalStateException.class)
                .hasMessage("rank 1 is to commit chunk 0 of round 1 of its experts, but has none ready");
    }

    @Test
    void aRankAtAnotherVersionIsAnErrorThatNamesIt() {
        steps(5);
        unit.deliver(2);
        unit.director().order(unit.plan());
        assertThatThrownBy(unit::step).isInstanceOf(IllegalStateException.class)
                .hasMessageStartingWith("experts of rank 0 are at version 0, the plan of step 5 is for version 1");
    }

    @Test
    void noRoundChangesAnythingWhileTheRanksAreUsedEvenlyEnough() {
        try (var even = new RoundUnit(INTERVAL, 1, 0.1)) {
            IntStream.range(0, 5).forEach(i -> even.step());
            even.deliver(2);
            assertThat(even.step()).isEqualTo(ExpertOrder.NONE);
            assertThat(even.director().status().rounds()).isEqualTo(1);
            assertThat(even.director().status().layers()).extracting(ExpertStatus.Layer::version).containsExactly(0, 0, 0);
        }
    }

    @Test
    void memoryThatIsOutOfUseIsUsedAgain() {
        var allocated = new ArrayList<Integer>();
        for (int turn = 0; turn < 20; turn++) {
            unit.turnLoads();
            for (int step = 0; step < 3 * INTERVAL; step++) {
                ExpertOrder order = unit.step();
                if (order == ExpertOrder.COLLECT || order == ExpertOrder.COMMIT) {
                    unit.deliver(2);
                }
            }
            allocated.add(unit.allocations());
        }
        unit.requireWeightsToFitTables();
        assertThat(unit.director().status().layers().getFirst().version()).isGreaterThan(15);
        assertThat(allocated.getLast()).isEqualTo(allocated.get(3));
    }

    @Test
    void placesAreShownByRank() {
        ExpertStatus.Layer first = unit.director().status().layers().getFirst();
        assertThat(first.ranks()).containsExactly(new ExpertStatus.RankExperts(0, List.of(0, 1)),
                new ExpertStatus.RankExperts(1, List.of(1, 2)));
        assertThat(first.balancedness()).isEmpty();
        assertThat(Objects.requireNonNull(unit.weight(0, 1, 0)).get(JAVA_FLOAT, 0)).isEqualTo(1);
    }
}
