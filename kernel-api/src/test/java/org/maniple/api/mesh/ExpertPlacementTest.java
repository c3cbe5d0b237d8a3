package org.maniple.api.mesh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ExpertPlacementTest {

    /** Expert 1 is on both ranks, and twice on the second. */
    private static final ExpertPlacement REDUNDANT = new ExpertPlacement(3, List.of(List.of(0, 1), List.of(2, 1, 1)));

    @Test
    void everyReplicaOfAnExpertIsFoundInOrder() {
        assertThat(REDUNDANT.replicas(1)).isEqualTo(3);
        assertThat(IntStream.range(0, 3).mapToObj(r -> REDUNDANT.part(1, r) + ":" + REDUNDANT.slot(1, r))).containsExactly("0:1",
                "1:1", "1:2");
        assertThat(REDUNDANT.replicas(2)).isEqualTo(1);
        assertThat(REDUNDANT.slot(2, 0)).isZero();
    }

    @Test
    void tokensAreDealtOverReplicasByTheirPositions() {
        assertThat(IntStream.range(0, 5).map(position -> REDUNDANT.replicaFor(1, position))).containsExactly(0, 1, 2, 0, 1);
        assertThat(IntStream.range(0, 5).map(position -> REDUNDANT.replicaFor(0, position))).containsOnly(0);
    }

    @Test
    void anExpertThatIsNowhereIsRefused() {
        assertThatThrownBy(() -> new ExpertPlacement(3, List.of(List.of(0), List.of(2))))
                .hasMessage("expert 1 of 3 is on no rank: [[0], [2]]");
    }

    @Test
    void aNumberThatIsNoExpertIsRefused() {
        assertThatThrownBy(() -> new ExpertPlacement(2, List.of(List.of(0, 1, 2)))).hasMessage("there is no expert 2 among 2");
    }

    @Test
    void placementsWithTheSameSlotsAreEqual() {
        assertThat(REDUNDANT).isEqualTo(new ExpertPlacement(3, List.of(List.of(0, 1), List.of(2, 1, 1))))
                .hasToString("[0, 1] [2, 1, 1]");
        assertThat(REDUNDANT).isNotEqualTo(new ExpertPlacement(3, List.of(List.of(0, 1), List.of(1, 2, 1))));
    }
}
