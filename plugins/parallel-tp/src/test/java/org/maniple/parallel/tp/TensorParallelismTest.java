package org.maniple.parallel.tp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;
import org.maniple.api.config.Problem;
import org.maniple.api.config.Settings;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Axis;
import org.maniple.api.mesh.AxisRule;
import org.maniple.api.mesh.SplitException;
import org.maniple.api.mesh.Splitter;
import org.maniple.api.mesh.UnitCost;
import org.maniple.api.tensor.UnitList;
import org.maniple.testkit.GivenSettings;

class TensorParallelismTest {

    private final TensorParallelism parallelism = new TensorParallelism();

    @Test
    void splitsHeadsColumnsAndVocabularyOverOneDimension() {
        List<AxisRule> rules = parallelism.rules(settings(2, Map.of()));

        assertThat(rules).extracting(AxisRule::axis)
                .containsExactlyInAnyOrder(Axes.HEADS, Axes.FFN, Axes.SHARED_FFN, Axes.EXPERT_FFN, Axes.VOCAB);
        assertThat(rules).allMatch(rule -> rule.over().equals(parallelism.dimensions()));
    }

    @Test
    void isOneRankUnlessASizeIsGiven() {
        Settings nothing = new GivenSettings(parallelism.options(), Map.of());

        assertThat(parallelism.size(parallelism.dimensions().getFirst(), nothing)).isEqualTo(1);
        assertThat(parallelism.problems(nothing)).isEmpty();
    }

    @Test
    void dealsEvenlyWithTheLargerSharesFirst() {
        assertThat(counts(Axes.HEADS, 8, 2, Map.of())).containsExactly(4, 4);
        assertThat(counts(Axes.HEADS, 6, 4, Map.of())).containsExactly(2, 2, 1, 1);
        assertThat(counts(Axes.HEADS, 9, 2, Map.of())).containsExactly(5, 4);
        assertThat(counts(Axes.VOCAB, 151_936, 3, Map.of())).containsExactly(50_646, 50_645, 50_645);
    }

    @Test
    void keepsUnitsOfARankTogether() {
        assertThat(split(Axes.HEADS, 6, 4, 1, Map.of())).extracting(UnitList::toString).containsExactly("0-1", "2-3", "4", "5");
    }

    @Test
    void followsWeightsByTheLargestRemainder() {
        var weights = Map.<String, Object>of("tensor-parallel-weights", List.of(1.0, 2.0));

        assertThat(counts(Axes.HEADS, 6, 2, weights)).containsExactly(2, 4);
        assertThat(counts(Axes.FFN, 160, 2, weights)).containsExactly(53, 107);
        assertThat(counts(Axes.EXPERT_FFN, 30, 2, weights)).containsExactly(10, 20);
    }

    @Test
    void aRankMayGoWithoutHeadsIfItsWeightIsSmall() {
        assertThat(counts(Axes.HEADS, 4, 3, Map.of("tensor-parallel-weights", List.of(1.0, 0.1, 1.0)))).containsExactly(2, 0, 2);
        assertThat(counts(Axes.HEADS, 4, 3, Map.of("tensor-parallel-weights", List.of(1.0, 0.0, 1.0)))).containsExactly(2, 0, 2);
    }

    @Test
    void listsOverrideWeightsForTheirAxisAlone() {
        Map<String, Object> given = Map.of("tensor-parallel-heads", List.of(3, 2, 3), "tensor-parallel-weights",
                List.of(1.0, 1.0, 2.0));

        assertThat(counts(Axes.HEADS, 8, 3, given)).containsExactly(3, 2, 3);
        assertThat(counts(Axes.FFN, 160, 3, given)).containsExactly(40, 40, 80);
        assertThat(counts(Axes.FFN, 160, 2, Map.of("tensor-parallel-ffn", List.of(100, 60)))).containsExactly(100, 60);
        assertThat(counts(Axes.VOCAB, 100, 2, Map.of("tensor-parallel-vocab", List.of(0, 100)))).containsExactly(0, 100);
    }

    @Test
    void roundsToTheQuantumWhereSharesStayBalanced() {
        assertThat(split(Axes.FFN, 11_008, 3, 32, Map.of())).extracting(UnitList::size).containsExactly(3680, 3680, 3648);
        assertThat(split(Axes.FFN, 1000, 2, 32, Map.of())).as("the last quantum may be incomplete").extracting(UnitList::size)
                .containsExactly(512, 488);
    }

    @Test
    void doesNotRoundToAQuantumThatWouldUnbalanceTheRanks() {
        assertThat(split(Axes.FFN, 1536, 8, 128, Map.of())).extracting(UnitList::size).containsOnly(192);
    }

    @Test
    void moreRanksThanHeadsAreRefusedWithTheSizesThatWork() {
        assertThatThrownBy(() -> counts(Axes.HEADS, 4, 5, Map.of())).isInstanceOfSatisfying(SplitException.class,
                e -> assertThat(e.key()).isEqualTo("tensor-parallel-size"))
                .hasMessageContaining("Total number of attention heads (4)").hasMessageContaining("tensor parallel size (5)")
                .hasMessageContaining("valid sizes are 1 to 4, even splits 1, 2, 4")
                .hasMessageContaining("tensor-parallel-weights");
    }

    @Test
    void aListWithAnotherSumIsRefusedWithBothNumbers() {
        assertThatThrownBy(() -> counts(Axes.HEADS, 8, 2, Map.of("tensor-parallel-heads", List.of(4, 5))))
                .isInstanceOfSatisfying(SplitException.class, e -> assertThat(e.key()).isEqualTo("tensor-parallel-heads"))
                .hasMessageContaining("9").hasMessageContaining("8 units of HEADS").hasMessageContaining("[4, 4]");
    }

    @Test
    void mistakesThatNeedNoModelAreReportedTogether() {
        Settings settings = settings(3,
                Map.of("tensor-parallel-weights", List.of(1.0, 2.0), "tensor-parallel-heads", List.of(1, 2, 3, 4),
                        "tensor-parallel-ffn", List.of(1, 2, 3)));

        List<Problem> problems = parallelism.problems(settings);

        assertThat(problems).extracting(Problem::key).containsExactlyInAnyOrder("tensor-parallel-weights",
                "tensor-parallel-heads");
        assertThat(problems).extracting(Problem::message)
                .contains(
                        "lists 2 ranks, but tensor-parallel-size is 3; list one number for each rank, or set tensor-parallel-size to 2");
    }

    @Test
    void weightsThatAreNegativeOrAllZeroAreRefused() {
        assertThat(parallelism.problems(settings(2, Map.of("tensor-parallel-weights", List.of(1.0, -1.0))))).hasSize(1);
        assertThat(parallelism.problems(settings(2, Map.of("tensor-parallel-weights", List.of(0.0, 0.0))))).hasSize(1);
        assertThatThrownBy(() -> counts(Axes.FFN, 8, 2, Map.of("tensor-parallel-weights", List.of(0.0, 0.0))))
                .isInstanceOf(SplitException.class);
    }

    @Test
    void everyUnitIsDealtOnceWhateverTheWeights() {
        var random = new Random(7);
        for (int round = 0; round < 2000; round++) {
            int parts = 1 + random.nextInt(9);
            int units = 1 + random.nextInt(5000);
            int quantum = 1 + random.nextInt(64);
            List<Double> weights = DoubleStream.generate(random::nextDouble).limit(parts).map(w -> w + 0.01).boxed().toList();

            List<UnitList> lists = split(Axes.FFN, units, parts, quantum, Map.of("tensor-parallel-weights", weights));

            assertThat(UnitList.merge(lists)).isEqualTo(UnitList.range(0, units));
            assertThat(lists.stream().mapToInt(UnitList::size).sum()).isEqualTo(units);
        }
    }

    private List<Integer> counts(Axis axis, int units, int parts, Map<String, Object> given) {
        return split(axis, units, parts, 1, given).stream().map(UnitList::size).toList();
    }

    private List<UnitList> split(Axis axis, int units, int parts, int quantum, Map<String, Object> given) {
        Splitter splitter = parallelism.rules(settings(parts, given)).stream().filter(rule -> rule.axis().equals(axis))
                .findFirst()
                .orElseThrow().splitter();
        return splitter.split(new Splitter.Request(axis, units, parts, quantum, UnitCost.EQUAL));
    }

    private Settings settings(int size, Map<String, Object> given) {
        var values = new HashMap<>(given);
        values.put("tensor-parallel-size", size);
        return new GivenSettings(parallelism.options(), values);
    }
}
