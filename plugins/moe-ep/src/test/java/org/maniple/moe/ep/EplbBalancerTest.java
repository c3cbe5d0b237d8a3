package org.maniple.moe.ep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.maniple.api.mesh.ExpertBalancer;
import org.maniple.api.mesh.ExpertPlacement;
import org.maniple.api.mesh.SplitException;
import org.maniple.moe.ep.EplbBalancer.Algorithm;

class EplbBalancerTest {

    private static final ExpertPlacement LINEAR = new ExpertPlacement(4, List.of(List.of(0, 1), List.of(2, 3)));

    @Test
    void twoBusyExpertsOfOneRankArePartedAndTheOthersKeepTheirSlots() {
        ExpertPlacement balanced = balancer(Algorithm.AUTO).rebalance(0, new double[] {10, 9, 1, 1}, LINEAR, 1, 1);

        assertThat(LINEAR.balancedness(new double[] {10, 9, 1, 1})).isEqualTo(10.5 / 19);
        assertThat(balanced).hasToString("[0, 3] [2, 1]");
        assertThat(balanced.balancedness(new double[] {10, 9, 1, 1})).isEqualTo(10.5 / 11);
    }

    @Test
    void nothingMovesIfNothingIsGained() {
        assertThat(balancer(Algorithm.AUTO).rebalance(0, new double[4], LINEAR, 1, 1)).isSameAs(LINEAR);
        assertThat(balancer(Algorithm.AUTO).rebalance(0, new double[] {5, 1, 1, 5}, LINEAR, 1, 1)).isSameAs(LINEAR);
    }

    @Test
    void aSkewedLoadIsSpreadBetterThanByTheLinearPlacementAndASecondRoundChangesNothing() {
        var random = new Random(9);
        for (int round = 0; round < 200; round++) {
            int parts = 1 << 1 + random.nextInt(3);
            int experts = parts * (1 + random.nextInt(8));
            int redundant = parts * random.nextInt(3);
            double[] loads = IntStream.range(0, experts).mapToDouble(i -> 1000 / Math.pow(1 + random.nextInt(experts), 1.2))
                    .toArray();
            ExpertPlacement linear = linear(experts, redundant, parts);

            ExpertPlacement balanced = balancer(Algorithm.AUTO).rebalance(0, loads, linear, 1, 1);

            assertThat(balanced.balancedness(loads)).isGreaterThanOrEqualTo(linear.balancedness(loads));
            assertThat(IntStream.range(0, parts).map(balanced::slots)).containsOnly((experts + redundant) / parts);
            assertThat(balancer(Algorithm.AUTO).rebalance(0, loads, balanced, 1, 1)).isSameAs(balanced);
        }
    }

    @Test
    void zipfLoadsOnEightRanksBecomeNearlyEven() {
        double[] loads = IntStream.range(0, 64).mapToDouble(i -> 1000 / Math.pow(1 + i, 1.0)).toArray();
        ExpertPlacement linear = linear(64, 16, 8);

        assertThat(linear.balancedness(loads)).isLessThan(0.5);
        assertThat(balancer(Algorithm.AUTO).rebalance(0, loads, linear, 1, 1).balancedness(loads)).isGreaterThan(0.9);
    }

    @Test
    void autoForgetsGroupsThatDoNotFitTheNodesButHierarchicalRefusesThem() {
        double[] loads = {90, 132, 40, 61, 104, 165, 39, 4, 73, 56, 183, 86};
        ExpertPlacement linear = linear(12, 4, 8);

        assertThat(balancer(Algorithm.AUTO).rebalance(0, loads, linear, 3, 2).balancedness(loads))
                .isEqualTo(balancer(Algorithm.GLOBAL).rebalance(0, loads, linear, 4, 2).balancedness(loads));
        assertThatThrownBy(() -> balancer(Algorithm.HIERARCHICAL).check(12, 16, 8, 3, 2))
                .isInstanceOfSatisfying(SplitException.class, e -> assertThat(e.key()).isEqualTo("eplb-algorithm"))
                .hasMessageContaining("12 experts in 3 groups").hasMessageContaining("2 nodes")
                .hasMessageContaining("auto or global");
        balancer(Algorithm.HIERARCHICAL).check(12, 16, 8, 4, 2);
        assertThatThrownBy(() -> balancer(Algorithm.AUTO).check(12, 15, 8, 4, 2)).isInstanceOf(SplitException.class)
                .hasMessageContaining("that fit: 4");
    }

    private static ExpertBalancer balancer(Algorithm algorithm) {
        return new EplbBalancer(new ExpertBalancer.Schedule(10, 20, 1, 1, false), algorithm);
    }

    private static ExpertPlacement linear(int experts, int redundant, int parts) {
        int each = (experts + redundant) / parts;
        return new ExpertPlacement(experts, IntStream.range(0, parts)
                .mapToObj(part -> IntStream.range(part * each, (part + 1) * each).map(i -> i % experts).boxed().toList())
                .toList());
    }
}
