package org.maniple.moe.ep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.maniple.api.config.Problem;
import org.maniple.api.config.Settings;
import org.maniple.api.graph.Axes;
import org.maniple.api.mesh.AxisRule;
import org.maniple.api.mesh.ExpertPlacement;
import org.maniple.api.mesh.Mesh;
import org.maniple.api.mesh.MeshDimension;
import org.maniple.api.mesh.SplitException;
import org.maniple.api.mesh.Splitter;
import org.maniple.api.mesh.UnitCost;
import org.maniple.api.tensor.UnitList;
import org.maniple.testkit.GivenSettings;

class ExpertParallelismTest {

    private static final Map<String, Object> ON = Map.of("enable-expert-parallel", true);

    @TempDir
    private Path folder;

    private final ExpertParallelism parallelism = new ExpertParallelism();

    @Test
    void splitsExpertsOverDataAndTensorRanksWithoutADimensionOfItsOwn() {
        List<AxisRule> rules = parallelism.rules(settings(ON));

        assertThat(rules).extracting(AxisRule::axis).containsExactly(Axes.EXPERTS);
        assertThat(rules.getFirst().over()).containsExactly(new MeshDimension("dp", 100), new MeshDimension("tp", 300));
        assertThat(parallelism.dimensions()).isEmpty();
    }

    @Test
    void doesNothingUnlessItIsAskedFor() {
        assertThat(parallelism.rules(settings(Map.of()))).isEmpty();
        assertThat(parallelism.experts(0, 8, mesh(1, 4), settings(Map.of()))).isEmpty();
        assertThat(parallelism.balancer(settings(ON))).isEmpty();
        assertThat(parallelism.problems(settings(Map.of()))).isEmpty();
    }

    @Test
    void aSizeAboveOneAsksForIt() {
        assertThat(place(8, mesh(2, 2), Map.of("expert-parallel-size", 4))).hasToString("[0, 1] [2, 3] [4, 5] [6, 7]");
    }

    @Test
    void linearKeepsNeighboursTogetherAndGivesTheFirstRanksOneMore() {
        assertThat(place(8, mesh(1, 2), ON)).hasToString("[0, 1, 2, 3] [4, 5, 6, 7]");
        assertThat(place(10, mesh(2, 2), ON)).hasToString("[0, 1, 2] [3, 4, 5] [6, 7] [8, 9]");
    }

    @Test
    void roundRobinDealsExpertsInTurn() {
        assertThat(place(8, mesh(1, 2), with("expert-placement-strategy", "round_robin")))
                .hasToString("[0, 2, 4, 6] [1, 3, 5, 7]");
        assertThat(place(7, mesh(3, 1), with("expert-placement-strategy", "round_robin"))).hasToString("[0, 3, 6] [1, 4] [2, 5]");
    }

    @Test
    void redundantExpertsBeginAgainWithTheFirst() {
        assertThat(place(8, mesh(2, 2), with("num-redundant-experts", 4))).hasToString("[0, 1, 2] [3, 4, 5] [6, 7, 0] [1, 2, 3]");
        assertThat(place(2, mesh(2, 2), with("num-redundant-experts", 6))).hasToString("[0, 1] [0, 1] [0, 1] [0, 1]");
    }

    @Test
    void theSplitterTellsTheExpertsOfEachRankOnce() {
        assertThat(split(8, 4, with("num-redundant-experts", 4))).extracting(UnitList::toString)
                .containsExactly("0-2", "3-5", "0,6-7", "1-3");
        assertThat(split(2, 2, with("num-redundant-experts", 6))).extracting(UnitList::toString).containsExactly("0-1", "0-1");
    }

    @Test
    void redundantExpertsThatCannotBeDealtEvenlyAreRefusedWithTheNearestThatCan() {
        refused(() -> place(8, mesh(2, 2), with("num-redundant-experts", 3)), "num-redundant-experts")
                .hasMessage("8 experts and 3 redundant ones are 11 slots, which cannot be dealt evenly to 4 ranks;"
                        + " the nearest numbers of redundant experts that fit: 0 and 4");
        refused(() -> place(7, mesh(1, 4), with("num-redundant-experts", 0, "enable-eplb", true)), "num-redundant-experts")
                .hasMessageContaining("that fit: 1 (enable-eplb needs equally many on each rank)");
    }

    @Test
    void aSizeThatIsNotThatOfTheLayersRanksIsRefusedWithWhatWouldFit() {
        refused(() -> place(8, mesh(2, 2), Map.of("expert-parallel-size", 3)), "expert-parallel-size")
                .hasMessage("asks for 3 ranks, but experts are spread over all ranks that share a layer, dp × tp = 4; set it to 4"
                        + " or leave it out and set enable-expert-parallel; to keep experts whole, set it to 1 and do not set"
                        + " enable-expert-parallel");
        refused(() -> split(8, 4, with("expert-parallel-size", 1)), "expert-parallel-size").hasMessageContaining("dp × tp = 4");
        assertThat(place(8, mesh(1, 1), with("expert-parallel-size", 1)).parts()).isEqualTo(1);
    }

    @Test
    void moreRanksThanExpertsAreRefusedWithTheTwoWaysOut() {
        refused(() -> place(4, mesh(2, 4), ON), "enable-expert-parallel")
                .hasMessage("the model has 4 routed experts in a layer, too few for 8 ranks; use at most 4 ranks (dp × tp),"
                        + " or num-redundant-experts 4 to hold some experts more than once");
        assertThat(place(4, mesh(2, 4), with("num-redundant-experts", 4)).parts()).isEqualTo(8);
    }

    @Test
    void rebalancingNeedsMoreThanOneRank() {
        refused(() -> place(4, mesh(1, 1), with("enable-eplb", true)), "enable-eplb").hasMessageContaining("dp × tp = 1");
    }

    @Test
    void whatNeedsExpertParallelismSaysSoAllAtOnce() {
        assertThat(parallelism.problems(settings(Map.of("num-redundant-experts", 2, "enable-eplb", true,
                "expert-placement-file", "placement.json")))).extracting(Problem::key)
                .contains("num-redundant-experts", "enable-eplb", "expert-placement-file");
        assertThat(parallelism.problems(settings(Map.of("num-redundant-experts", 2)))).containsExactly(new Problem(
                "num-redundant-experts",
                "holds 2 experts once more, but expert parallelism is off; set enable-expert-parallel, or remove this key"));
    }

    @Test
    void roundRobinIsOnlyForExpertsThatAreHeldOnce() {
        assertThat(parallelism.problems(settings(with("expert-placement-strategy", "round_robin", "num-redundant-experts", 4))))
                .extracting(Problem::key).containsExactly("expert-placement-strategy");
    }

    @Test
    void aFileListsRanksForAllLayers() throws IOException {
        assertThat(place(4, mesh(1, 2), file("[[3, 1], [0, 2, 3]]"))).hasToString("[3, 1] [0, 2, 3]");
        assertThat(split(4, 2, file("[[3, 1], [0, 2, 3]]"))).extracting(UnitList::toString).containsExactly("1,3", "0,2-3");
    }

    @Test
    void aFileListsRanksLayerByLayer() throws IOException {
        Map<String, Object> given = file("[null, [[0, 1], [2, 3]], [[3, 2], [1, 0]]]");

        assertThat(parallelism.experts(2, 4, mesh(1, 2), settings(given)).orElseThrow()).hasToString("[3, 2] [1, 0]");
        assertThat(split(4, 2, given)).as("the first layer that is listed").extracting(UnitList::toString)
                .containsExactly("0-1", "2-3");
        refused(() -> parallelism.experts(0, 4, mesh(1, 2), settings(given)), "expert-placement-file")
                .hasMessageContaining("lists no ranks for layer 0");
    }

    @Test
    void sglangsFileIsCutIntoEqualParts() throws IOException {
        assertThat(place(4, mesh(2, 1), file("{\"physical_to_logical_map\": [null, null, null, [0, 1, 2, 3, 0, 1]]}")))
                .hasToString("[0, 1, 2] [3, 0, 1]");
        assertThat(place(4, mesh(2, 1), with("expert-placement-file", "trivial"))).hasToString("[0, 1] [2, 3]");
    }

    @Test
    void aFileThatDoesNotFitTheModelIsRefused() throws IOException {
        refused(() -> place(4, mesh(1, 2), file("[[0, 1], [2]]")), "expert-placement-file")
                .hasMessageContaining("expert 3 of 4 is on no rank");
        refused(() -> place(4, mesh(1, 2), file("[[0, 1], [2, 4]]")), "expert-placement-file")
                .hasMessageContaining("no expert 4");
        refused(() -> place(4, mesh(1, 3), file("[[0, 1], [2, 3]]")), "expert-placement-file")
                .hasMessageContaining("lists 2 ranks").hasMessageContaining("dp × tp = 3");
    }

    @Test
    void aFileThatMakesNoSenseIsAProblemBeforeAnyModel() throws IOException {
        for (Map.Entry<String, String> wrong : Map.of(
                "{}", "has no list [physical_to_logical_map]",
                "[[0, 1], [2", "is not the JSON that is expected",
                "[[0, -1]]", "has [-1] where the number of an expert was expected",
                "[[0, 1.5]]", "has [1.5]",
                "[[[0], [1]], [[0, 1], []]]", "gives the ranks [2, 0] slots in layer 1, but [1, 1] in layer 0",
                "[null]", "lists no layer with experts",
                "7", "holds no list of ranks").entrySet()) {
            assertThat(parallelism.problems(settings(file(wrong.getKey())))).as(wrong.getKey()).singleElement()
                    .satisfies(problem -> assertThat(problem.message()).contains(wrong.getValue()));
        }
        assertThat(parallelism.problems(settings(with("expert-placement-file", folder.resolve("none").toString()))))
                .singleElement().satisfies(problem -> assertThat(problem.message()).contains("cannot be read"));
        assertThat(parallelism.problems(settings(with("expert-placement-file", file("[[0]]").get("expert-placement-file"),
                "expert-placement-strategy", "linear")))).extracting(Problem::key).containsExactly("expert-placement-strategy");
    }

    @Test
    void vllmsConfigurationOfRebalancingIsUnderstood() {
        var schedule = parallelism.balancer(settings(with("enable-eplb", true, "eplb-config",
                "{\"window_size\": 10, \"step_interval\": 30, \"log_balancedness\": true, \"use_async\": true}"))).orElseThrow()
                .schedule();

        assertThat(schedule.windowSteps()).isEqualTo(10);
        assertThat(schedule.intervalSteps()).isEqualTo(30);
        assertThat(schedule.layersPerChunk()).isEqualTo(1);
        assertThat(schedule.logged()).isTrue();
        assertThat(place(8, mesh(1, 4), with("enable-eplb", true, "eplb-config", "{\"num_redundant_experts\": 4}")))
                .hasToString("[0, 1, 2] [3, 4, 5] [6, 7, 0] [1, 2, 3]");
    }

    @Test
    void rebalancingHasKeysOfItsOwn() {
        var schedule = parallelism.balancer(settings(with("enable-eplb", true, "eplb-window-size", 7, "eplb-step-interval", 8,
                "eplb-rebalance-layers-per-chunk", 9))).orElseThrow().schedule();
        var usual = parallelism.balancer(settings(with("enable-eplb", true))).orElseThrow().schedule();

        assertThat(List.of(schedule.windowSteps(), schedule.intervalSteps(), schedule.layersPerChunk())).containsExactly(7, 8, 9);
        assertThat(List.of(usual.windowSteps(), usual.intervalSteps(), usual.layersPerChunk())).containsExactly(1000, 3000, 1);
    }

    @Test
    void mistakesInTheConfigurationOfRebalancingAreExplained() {
        for (Map.Entry<String, String> wrong : Map.of(
                "{\"window\": 1}", "knows no [window]; known: [window_size, step_interval, num_redundant_experts,",
                "{\"window_size\": 0}", "[window_size] is [0]; it must be a whole number from 1",
                "{\"use_async\": false}", "weights always move in the background here",
                "{\"log_balancedness\": 1}", "it must be true or false",
                "window", "is no JSON",
                "[]", "is no JSON object").entrySet()) {
            assertThat(parallelism.problems(settings(with("enable-eplb", true, "eplb-config", wrong.getKey()))))
                    .as(wrong.getKey())
                    .singleElement().satisfies(problem -> {
                        assertThat(problem.key()).isEqualTo("eplb-config");
                        assertThat(problem.message()).contains(wrong.getValue());
                    });
        }
        assertThat(parallelism.problems(settings(with("enable-eplb", true, "eplb-config", "{\"window_size\": 5}",
                "eplb-window-size", 6)))).containsExactly(
                        new Problem("eplb-window-size", "[6] contradicts [5] in eplb-config; give it once"));
        assertThat(parallelism.problems(settings(with("eplb-config", "{}")))).extracting(Problem::key)
                .containsExactly("eplb-config");
        assertThat(parallelism.problems(settings(with("eplb-min-rebalancing-utilization-threshold", 1.5))))
                .extracting(Problem::key).containsExactly("eplb-min-rebalancing-utilization-threshold");
    }

    private static AbstractThrowableAssert<?, ?> refused(org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String key) {
        return assertThatThrownBy(call).isInstanceOfSatisfying(SplitException.class, e -> assertThat(e.key()).isEqualTo(key));
    }

    private Map<String, Object> file(String json) throws IOException {
        Path file = Files.createTempFile(folder, "placement", ".json");
        return with("expert-placement-file", Files.writeString(file, json).toString());
    }

    private static Map<String, Object> with(Object... keysAndValues) {
        var values = new HashMap<>(ON);
        IntStream.range(0, keysAndValues.length / 2)
                .forEach(i -> values.put((String) keysAndValues[2 * i], keysAndValues[2 * i + 1]));
        return values;
    }

    private ExpertPlacement place(int experts, Mesh mesh, Map<String, Object> given) {
        return parallelism.experts(3, experts, mesh, settings(given)).orElseThrow();
    }

    private List<UnitList> split(int experts, int parts, Map<String, Object> given) {
        return parallelism.rules(settings(given)).getFirst().splitter()
                .split(new Splitter.Request(Axes.EXPERTS, experts, parts, 1, UnitCost.EQUAL));
    }

    private static Mesh mesh(int dp, int tp) {
        return new Mesh(List.of(new MeshDimension("dp", 100), new MeshDimension("pp", 200), new MeshDimension("tp", 300)),
                List.of(dp, 2, tp));
    }

    private Settings settings(Map<String, Object> given) {
        return new GivenSettings(parallelism.options(), given);
    }
}
