package org.maniple.parallel.pp;

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
import org.maniple.api.mesh.AxisRule;
import org.maniple.api.mesh.SplitException;
import org.maniple.api.mesh.Splitter;
import org.maniple.api.mesh.UnitCost;
import org.maniple.api.tensor.UnitList;
import org.maniple.testkit.GivenSettings;

class PipelineParallelismTest {

    private final PipelineParallelism parallelism = new PipelineParallelism();

    @Test
    void cutsTheLayersAndNothingElse() {
        assertThat(parallelism.rules(settings(2, Map.of()))).extracting(AxisRule::axis).containsExactly(Axes.LAYERS);
    }

    @Test
    void givesTheRemainderToTheStagesBeforeTheLast() {
        assertThat(counts(61, 4, Map.of())).containsExactly(15, 15, 16, 15);
        assertThat(counts(7, 3, Map.of())).containsExactly(2, 3, 2);
        assertThat(counts(11, 4, Map.of())).containsExactly(3, 3, 3, 2);
        assertThat(counts(6, 3, Map.of())).containsExactly(2, 2, 2);
        assertThat(counts(5, 1, Map.of())).containsExactly(5);
    }

    @Test
    void stagesAreConsecutive() {
        assertThat(split(7, 3, UnitCost.EQUAL, Map.of())).extracting(UnitList::toString).containsExactly("0-1", "2-4", "5-6");
    }

    @Test
    void takesAPartitionAsItIsListed() {
        assertThat(counts(61, 4, Map.of("pipeline-layer-partition", List.of(20, 15, 15, 11)))).containsExactly(20, 15, 15, 11);
    }

    @Test
    void aPartitionWithAnotherSumIsRefusedWithBothNumbers() {
        assertThatThrownBy(() -> counts(61, 3, Map.of("pipeline-layer-partition", List.of(20, 20, 20))))
                .isInstanceOfSatisfying(SplitException.class, e -> assertThat(e.key()).isEqualTo("pipeline-layer-partition"))
                .hasMessageContaining("60").hasMessageContaining("61 layers").hasMessageContaining("[20, 21, 20]");
    }

    @Test
    void aPartitionOfAnotherLengthIsRefusedWithBothNumbers() {
        assertThatThrownBy(() -> counts(61, 4, Map.of("pipeline-layer-partition", List.of(30, 31))))
                .isInstanceOf(SplitException.class)
                .hasMessageContaining("lists 2 stages").hasMessageContaining("pipeline-parallel-size is 4");
    }

    @Test
    void moreStagesThanLayersAreRefusedWithTheSizesThatWork() {
        assertThatThrownBy(() -> counts(6, 7, Map.of()))
                .isInstanceOfSatisfying(SplitException.class, e -> assertThat(e.key()).isEqualTo("pipeline-parallel-size"))
                .hasMessageContaining("7").hasMessageContaining("6 layers").hasMessageContaining("1 to 6");
    }

    @Test
    void weightsDealTheCostOfLayersNotTheirNumber() {
        var equal = Map.<String, Object>of("pipeline-parallel-weights", List.of(1.0, 1.0));
        UnitCost firstThreeAreCheap = layer -> layer < 3 ? 1 : 3;

        assertThat(sizes(split(6, 2, UnitCost.EQUAL, Map.of("pipeline-parallel-weights", List.of(1.0, 2.0))))).containsExactly(2,
                4);
        assertThat(sizes(split(7, 2, firstThreeAreCheap, equal))).containsExactly(4, 3);
    }

    @Test
    void everyStageKeepsALayerHoweverSmallItsWeight() {
        assertThat(counts(4, 3, Map.of("pipeline-parallel-weights", List.of(0.001, 1.0, 0.001)))).containsExactly(1, 2, 1);
    }

    @Test
    void mistakesThatNeedNoModelAreReportedTogether() {
        Settings settings = settings(3,
                Map.of("pipeline-layer-partition", List.of(1, 2), "pipeline-parallel-weights", List.of(1.0, 0.0, 1.0)));

        assertThat(parallelism.problems(settings)).extracting(Problem::key)
                .containsExactlyInAnyOrder("pipeline-layer-partition", "pipeline-parallel-weights", "pipeline-parallel-weights");
    }

    @Test
    void everyLayerIsInOneStageWhateverTheWeights() {
        var random = new Random(7);
        for (int round = 0; round < 2000; round++) {
            int stages = 1 + random.nextInt(9);
            int layers = stages + random.nextInt(90);
            List<Double> weights = DoubleStream.generate(random::nextDouble).limit(stages).map(w -> w + 0.001).boxed().toList();

            List<UnitList> lists = split(layers, stages, UnitCost.EQUAL, Map.of("pipeline-parallel-weights", weights));

            assertThat(UnitList.merge(lists)).isEqualTo(UnitList.range(0, layers));
            assertThat(sizes(lists)).hasSize(stages).allMatch(size -> size >= 1);
        }
    }

    private List<Integer> counts(int layers, int stages, Map<String, Object> given) {
        return sizes(split(layers, stages, UnitCost.EQUAL, given));
    }

    private List<UnitList> split(int layers, int stages, UnitCost cost, Map<String, Object> given) {
        Splitter splitter = parallelism.rules(settings(stages, given)).getFirst().splitter();
        return splitter.split(new Splitter.Request(Axes.LAYERS, layers, stages, 1, cost));
    }

    private Settings settings(int size, Map<String, Object> given) {
        var values = new HashMap<>(given);
        values.put("pipeline-parallel-size", size);
        return new GivenSettings(parallelism.options(), values);
    }

    private static List<Integer> sizes(List<UnitList> lists) {
        return lists.stream().map(UnitList::size).toList();
    }
}
