package org.maniple.parallel.dp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.maniple.api.config.Derived;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;
import org.maniple.api.config.Problem;
import org.maniple.api.config.Settings;
import org.maniple.api.graph.Axes;
import org.maniple.api.mesh.AxisRule;
import org.maniple.api.mesh.Mesh;
import org.maniple.api.mesh.MeshDimension;
import org.maniple.api.mesh.Splitter;
import org.maniple.api.mesh.UnitCost;
import org.maniple.api.tensor.UnitList;
import org.maniple.testkit.GivenSettings;

class DataParallelismTest {

    private static final MeshDimension DP = new MeshDimension("dp", 100);
    private static final MeshDimension TP = new MeshDimension("tp", 300);

    private final DataParallelism parallelism = new DataParallelism();

    @Test
    void spreadsSequencesAndNothingElse() {
        assertThat(parallelism.rules(settings(Map.of("data-parallel-size", 2)))).extracting(AxisRule::axis, AxisRule::over)
                .containsExactly(org.assertj.core.groups.Tuple.tuple(Axes.SEQS, List.of(DP)));
    }

    @Test
    void withAttentionAloneCopiedSplitsTheRestOverAllRanksOfAStage() {
        List<AxisRule> rules = parallelism.rules(settings(Map.of("data-parallel-size", 2, "enable-dp-attention", true)));

        assertThat(rules).extracting(AxisRule::axis).containsExactly(Axes.SEQS, Axes.FFN, Axes.EXPERT_FFN, Axes.VOCAB);
        assertThat(rules.subList(1, 4)).extracting(AxisRule::over).containsOnly(List.of(DP, TP));
    }

    @Test
    void leavesTheVocabularyToTheRanksOfAGroupIfEachComputesItsOwnLogits() {
        Settings settings = settings(Map.of("data-parallel-size", 2, "enable-dp-attention", true, "enable-dp-lm-head", true));

        assertThat(parallelism.rules(settings)).extracting(AxisRule::axis).containsExactly(Axes.SEQS, Axes.FFN, Axes.EXPERT_FFN);
        assertThat(parallelism.problems(settings)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"10|4|1|3,3,2,2", "11008|3|32|3680,3680,3648",
        "1536|8|128|192,192,192,192,192,192,192,192", "3|4|1|1,1,1,0", "1000|2|32|512,488"})
    void dealsEvenlyInWholeQuantaWhereThatStaysBalanced(int units, int parts, int quantum, String counts) {
        List<UnitList> split = new EvenSplitter()
                .split(new Splitter.Request(Axes.FFN, units, parts, quantum, UnitCost.EQUAL));

        List<Integer> expected = Stream.of(counts.split(",")).map(Integer::valueOf).toList();
        assertThat(split).extracting(UnitList::size).containsExactlyElementsOf(expected);
        assertThat(UnitList.merge(split)).isEqualTo(UnitList.range(0, units));
    }

    @Test
    void theShortSpellingCountsAllRanksOfAStageAsSglangDoes() {
        Settings settings = spelled("tp",
                Map.of("tensor-parallel-size", 16, "data-parallel-size", 4, "enable-dp-attention", true));

        assertThat(parallelism.derive(settings)).containsExactly(new Derived("tensor-parallel-size", "4",
                "because with enable-dp-attention --tp counts all 16 ranks of a stage, which are 4 groups of 4"
                        + " (tensor-parallel-size counts those of one group)"));
        assertThat(parallelism.problems(settings)).isEmpty();
    }

    @Test
    void theLongSpellingAndPlainCopiesCountAsTheMeshDoes() {
        Map<String, Object> attention = Map.of("tensor-parallel-size", 4, "data-parallel-size", 2, "enable-dp-attention", true);

        assertThat(parallelism.derive(spelled("tensor-parallel-size", attention))).isEmpty();
        assertThat(parallelism.derive(spelled("tp", Map.of("tensor-parallel-size", 4, "data-parallel-size", 2)))).isEmpty();
    }

    @Test
    void ranksOfAStageThatDoNotMakeGroupsAreRefused() {
        Settings settings = spelled("tp-size",
                Map.of("tensor-parallel-size", 6, "data-parallel-size", 4, "enable-dp-attention", true));

        assertThat(parallelism.derive(settings)).isEmpty();
        assertThat(parallelism.problems(settings)).containsExactly(new Problem("tensor-parallel-size",
                "[6] ranks of a stage (so --tp-size counts with enable-dp-attention) cannot be divided into 4 groups"
                        + " (data-parallel-size); give a multiple of 4, or the ranks of one group as tensor-parallel-size"));
    }

    @Test
    void asksWhetherAttentionAloneWasMeantToBeCopied() {
        Mesh mesh = new Mesh(List.of(DP, TP), List.of(16, 16));
        Map<String, Object> sizes = Map.of("data-parallel-size", 16, "tensor-parallel-size", 16);

        assertThat(parallelism.otherReading(mesh, settings(sizes))).hasValueSatisfying(
                reading -> assertThat(reading)
                        .startsWith("did you mean --enable-dp-attention? Without it there are 16 copies of 16"));
        assertThat(parallelism.otherReading(new Mesh(List.of(DP, TP), List.of(2, 3)), settings(sizes))).isEmpty();
        assertThat(parallelism.otherReading(mesh, settings(Map.of("enable-dp-attention", true)))).isEmpty();
    }

    @Test
    void mistakesThatNeedNoModelAreReportedTogether() {
        assertThat(parallelism.problems(settings(Map.of("enable-dp-lm-head", true)))).extracting(Problem::key)
                .containsExactly("enable-dp-lm-head");
        assertThat(parallelism.problems(settings(Map.of("enable-dp-attention", true)))).extracting(Problem::message)
                .containsExactly(
                        "it needs several groups of ranks, but data-parallel-size is 1; give data-parallel-size 2 or more,"
                                + " or leave it out");
        assertThat(parallelism.problems(settings(Map.of("data-parallel-size", 2, "enable-dp-attention", true,
                "tensor-parallel-weights", List.of(1.0, 2.0), "tensor-parallel-heads", List.of(3, 5), "tensor-parallel-vocab",
                List.of(1, 2))))).extracting(Problem::key).containsExactly("tensor-parallel-weights", "tensor-parallel-vocab");
    }

    @Test
    void vllmsWordsForTheGroupOfANodeSayWhereTheNodeIs() {
        Settings settings = settings(Map.of("data-parallel-size", 4, "data-parallel-size-local", 2, "data-parallel-rank", 2,
                "data-parallel-address", "10.0.0.1", "data-parallel-rpc-port", 62300));

        assertThat(values(settings)).containsExactly("nnodes 2", "node-rank 1", "dist-init-addr 10.0.0.1:62300",
                "api-per-group true");
        assertThat(parallelism.problems(settings)).isEmpty();
    }

    @Test
    void aGroupThatSaysOnlyItsNumberIsAloneOnItsNode() {
        assertThat(values(settings(Map.of("data-parallel-size", 2, "data-parallel-rank", 1)))).containsExactly("nnodes 2",
                "node-rank 1", "dist-init-addr 127.0.0.1:29550", "api-per-group true");
        assertThat(values(settings(Map.of("data-parallel-size", 2, "data-parallel-rank", 1, "dist-init-addr", "a:1"))))
                .containsExactly("nnodes 2", "node-rank 1", "api-per-group true");
        assertThat(values(settings(Map.of("data-parallel-size", 2, "data-parallel-size-local", 2)))).containsExactly("nnodes 1");
        assertThat(values(settings(Map.of("data-parallel-size", 2)))).isEmpty();
    }

    @Test
    void whatOtherKeysSayAboutTheNodeMustAgree() {
        Map<String, Object> given = Map.of("data-parallel-size", 2, "data-parallel-rank", 1, "nnodes", 3, "node-rank", "0",
                "dist-init-addr", "a:1", "data-parallel-address", "b");

        assertThat(parallelism.derive(settings(given))).isEmpty();
        assertThat(parallelism.problems(settings(given))).extracting(problem -> problem.key() + ": " + problem.message())
                .containsExactly(
                        "nnodes: [3] contradicts what else is given: 2 groups, 1 on each node, are on 2 nodes; give only one of the two",
                        "node-rank: [0] contradicts what else is given: data-parallel-rank 1 is on node 1; give only one of the two",
                        "dist-init-addr: [a:1] contradicts what else is given: data-parallel-address and data-parallel-rpc-port say"
                                + " b:29550; give only one of the two");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "4|3|0|data-parallel-size-local: [3] groups on each node do not make 4 groups (data-parallel-size); give a divisor of 4",
        "4|2|1|data-parallel-rank: [1] is not the first group of a node with 2 groups (data-parallel-size-local); give a multiple of 2",
        "2|1|2|data-parallel-rank: [2] must be below data-parallel-size [2]; correct one of the two"})
    void aPlaceThatDoesNotExistIsRefused(int size, int local, int rank, String message) {
        Settings settings = settings(
                Map.of("data-parallel-size", size, "data-parallel-size-local", local, "data-parallel-rank", rank));

        assertThat(parallelism.derive(settings)).isEmpty();
        assertThat(parallelism.problems(settings)).extracting(problem -> problem.key() + ": " + problem.message())
                .containsExactly(message);
    }

    private List<String> values(Settings settings) {
        return parallelism.derive(settings).stream().map(derived -> derived.key() + " " + derived.value()).toList();
    }

    private Settings settings(Map<String, Object> given) {
        return spelled("tensor-parallel-size", given);
    }

    /** With the keys of the kernel and of tensor parallelism that this plugin looks at. */
    private Settings spelled(String tensorSize, Map<String, Object> given) {
        List<Option> options = new ArrayList<>(parallelism.options());
        options.add(Option.of("tensor-parallel-size", OptionType.INTEGER, "").withDefault("1"));
        options.add(Option.of("tensor-parallel-weights", OptionType.NUMBERS, ""));
        options.add(Option.of("tensor-parallel-heads", OptionType.INTEGERS, ""));
        options.add(Option.of("tensor-parallel-ffn", OptionType.INTEGERS, ""));
        options.add(Option.of("tensor-parallel-vocab", OptionType.INTEGERS, ""));
        options.add(Option.of("nnodes", OptionType.INTEGER, ""));
        options.add(Option.of("node-rank", OptionType.TEXT, "").withDefault("auto"));
        options.add(Option.of("dist-init-addr", OptionType.TEXT, ""));
        options.add(Option.of("master-addr", OptionType.TEXT, ""));
        options.add(Option.of("api-per-group", OptionType.BOOLEAN, "").withDefault("false"));
        return new GivenSettings(options, given, Map.of("tensor-parallel-size", tensorSize));
    }
}
