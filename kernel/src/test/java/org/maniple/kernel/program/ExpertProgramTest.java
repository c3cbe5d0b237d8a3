package org.maniple.kernel.program;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.maniple.kernel.program.SmallGraphs.EVEN;
import static org.maniple.kernel.program.SmallGraphs.HIDDEN;
import static org.maniple.kernel.program.SmallGraphs.TP;
import static org.maniple.kernel.program.SmallGraphs.lines;
import static org.maniple.kernel.program.SmallGraphs.rule;
import static org.maniple.kernel.program.SmallGraphs.sizes;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.BuiltinOp.Route;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.GraphBuilder;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Value;
import org.maniple.api.mesh.AxisRule;
import org.maniple.api.mesh.Mesh;
import org.maniple.api.mesh.MeshDimension;
import org.maniple.api.mesh.Splitter;

/** How experts are placed, and which exchanges follow. */
class ExpertProgramTest {

    private static final MeshDimension DP = new MeshDimension("dp", 100);
    private static final Dim COLUMNS = Axes.EXPERT_FFN.of(16);
    private static final int EXPERTS = 4;
    private static final Route ROUTE = new Route(Route.Score.SOFTMAX, 1, 1, Route.GroupScore.MAX, true, 1);
    private static final CompileOptions DIRECT = new CompileOptions(false, false, false);
    private static final CompileOptions IN_ORDER = new CompileOptions(false, true, true);
    private static final CompileOptions EXACT = new CompileOptions(true, true, true);

    private static Value mixture(GraphBuilder graph, Value x) {
        Value logits = graph.contract("router", x, graph.parameter("router", Axes.GATES.of(EXPERTS), HIDDEN));
        GraphBuilder.Routing routing = graph.route("chosen", ROUTE, 2, logits, Optional.empty());
        Value pairs = graph.dispatch("pairs", x, routing, EXPERTS);
        Value up = graph.contract("up", pairs, graph.parameter("up", Axes.EXPERTS.of(EXPERTS), COLUMNS, HIDDEN));
        Value down = graph.contract("down", up, graph.parameter("down", Axes.EXPERTS.of(EXPERTS), HIDDEN, COLUMNS));
        return graph.sum("after", x, graph.combine("mlp", down, routing));
    }

    private static final ModelGraph GRAPH = SmallGraphs.graph(1, graph -> x -> mixture(graph, x));

    private static List<String> exchanges(MeshProgram program) {
        return lines(program, 0).stream()
                .filter(line -> line.startsWith("~") || line.startsWith("DISPATCH") || line.startsWith("COMBINE"))
                .map(line -> line.replaceAll(" (up to )?\\d+ bytes.*", "")).toList();
    }

    private static MeshProgram compile(int dp, int tp, CompileOptions options, AxisRule... rules) {
        var mesh = new Mesh(List.of(DP, TP), List.of(dp, tp));
        return new ProgramCompiler(GRAPH, mesh, List.of(rules), options, (layer, experts) -> Optional.empty()).compile();
    }

    private static AxisRule experts(Splitter splitter) {
        return new AxisRule(Axes.EXPERTS, List.of(DP, TP), splitter);
    }

    @Test
    void withTensorParallelAttentionEachRankPicksTheRowsOfItsExpertsAndSumsArePartial() {
        assertThat(exchanges(compile(1, 2, CompileOptions.FAST, rule(Axes.EXPERT_FFN, TP), experts(EVEN)))).containsExactly(
                "DISPATCH hidden.* R, chosen R -> pairs S(EXPERTS)",
                "COMBINE down S(EXPERTS), chosen R, chosen.weights R -> mlp P(sum)",
                "~ all-reduce tp mlp P(sum) -> R");
    }

    @Test
    void withoutExpertParallelismPartialRowsAreCombinedBeforeTheyAreReduced() {
        assertThat(exchanges(compile(1, 2, CompileOptions.FAST, rule(Axes.EXPERT_FFN, TP)))).containsExactly(
                "DISPATCH hidden.* R, chosen R -> pairs R",
                "COMBINE down P(sum), chosen R, chosen.weights R -> mlp P(sum)",
                "~ all-reduce tp mlp P(sum) -> R");
    }

    @Test
    void whatGathersBringsAllTokensToAllRanksAndScattersTheirSums() {
        MeshProgram program = compile(2, 1, CompileOptions.FAST, rule(Axes.SEQS, DP), experts(EVEN));

        assertThat(lines(program, -1)).anyMatch(line -> line.startsWith("~ all-gather dp hidden.+ S(TOKENS) -> R"));
        assertThat(exchanges(program)).containsExactly(
                "~ all-gather dp chosen S(TOKENS) -> R",
                "~ all-gather dp chosen.weights S(TOKENS) -> R",
                "DISPATCH hidden.* R, chosen R -> pairs S(EXPERTS)",
                "COMBINE down S(EXPERTS), chosen R, chosen.weights R -> mlp P(sum)",
                "~ reduce-scatter dp mlp P(sum) -> S(TOKENS)");
    }

    @Test
    void whatDoesNotGatherSendsTokensToTheirExpertsAndTheirSumsBack() {
        assertThat(exchanges(compile(2, 1, DIRECT, rule(Axes.SEQS, DP), experts(EVEN)))).containsExactly(
                "~ dispatch dp hidden.* S(TOKENS), chosen S(TOKENS) -> pairs S(EXPERTS)",
                "~ return dp down S(EXPERTS) -> mlp S(TOKENS)");
    }

    @Test
    void tokensAreNotSentToRanksThatHaveThemAlready() {
        assertThat(exchanges(compile(2, 2, DIRECT, rule(Axes.SEQS, DP), rule(Axes.EXPERT_FFN, TP), experts(EVEN))))
                .containsExactly(
                        "~ dispatch dp hidden.* S(TOKENS),R, chosen S(TOKENS),R -> pairs S(EXPERTS),S(EXPERTS)",
                        "~ return dp down S(EXPERTS),S(EXPERTS) -> mlp S(TOKENS),P(sum)",
                        "~ all-reduce tp mlp S(TOKENS),P(sum) -> S(TOKENS),R");
    }

    @Test
    void inTheOrderOfExpertsRowsGoHomeAndTokensLieSplitAfterwards() {
        assertThat(exchanges(compile(1, 2, IN_ORDER, experts(EVEN)))).containsExactly(
                "DISPATCH hidden.* R, chosen R -> pairs S(EXPERTS)",
                "~ slice tp chosen R -> S(TOKENS)",
                "~ slice tp chosen.weights R -> S(TOKENS)",
                "~ return tp down S(EXPERTS) -> mlp S(TOKENS)");
        assertThat(lines(compile(1, 2, IN_ORDER, experts(EVEN)), 0))
                .contains("MAP add hidden.* S(TOKENS), mlp S(TOKENS) -> after S(TOKENS)");
    }

    @Test
    void exactSumsReduceRowsBeforeTheyAreCombined() {
        assertThat(exchanges(compile(1, 2, EXACT, rule(Axes.EXPERT_FFN, TP)))).containsExactly(
                "DISPATCH hidden.* R, chosen R -> pairs R",
                "~ all-reduce tp down P(sum) -> R",
                "COMBINE down R, chosen R, chosen.weights R -> mlp R");
    }

    @Test
    void aSumThatRanksDoNotShareInWholeLeavesIsRefusedByExactNumerics() {
        assertThatThrownBy(() -> compile(1, 3, EXACT, rule(Axes.EXPERT_FFN, TP)))
                .isInstanceOf(CompileException.class)
                .hasMessageContaining(
                        "numerics [exact]: CONTRACT [up, down] -> [down] sums over EXPERT_FFN:16, of which rank 0 has 0-5")
                .hasMessageContaining("their number must be 1, 2, 4 or 8");
        assertThatThrownBy(() -> compile(1, 2, EXACT, new AxisRule(Axes.EXPERT_FFN, List.of(TP), sizes(4, 12))))
                .isInstanceOf(CompileException.class)
                .hasMessageContaining("of which rank 0 has 0-3");
    }

    @Test
    void aRankKnowsTheExpertsInItsSlotsAlsoWhereTheyAreRedundant() {
        Splitter redundant = request -> List.of(org.maniple.api.tensor.UnitList.of(0, 1, 2),
                org.maniple.api.tensor.UnitList.of(1, 3));
        MeshProgram program = compile(1, 2, CompileOptions.FAST, experts(redundant));
        var slots = new ArrayList<List<Integer>>();
        for (int rank = 0; rank < 2; rank++) {
            RankProgram own = program.forRank(rank);
            Piece weight = own.weights().stream().filter(w -> w.operand().name().equals("up")).findFirst().orElseThrow();
            slots.add(own.expertSlots(weight));
        }

        assertThat(slots).containsExactly(List.of(0, 1, 2), List.of(1, 3));
        assertThat(program.placements().get(0)).hasToString("[0, 1, 2] [1, 3]");
    }

    @Test
    void leavesFollowFromTheModelAndNotFromTheRanks() {
        MeshProgram whole = compile(1, 1, EXACT);
        MeshProgram shared = compile(1, 2, EXACT, rule(Axes.EXPERT_FFN, TP));

        assertThat(leavesOfDown(whole, 0)).containsExactly(2, 4, 6, 8, 10, 12, 14, 16);
        assertThat(leavesOfDown(shared, 1)).containsExactly(2, 4, 6, 8);
    }

    private static List<Integer> leavesOfDown(MeshProgram program, int rank) {
        RankProgram own = program.forRank(rank);
        return own.code().stream()
                .filter(i -> i instanceof Instruction.Local l && l.node().op() instanceof BuiltinOp.Contract
                        && l.node().outputs().getFirst().name().equals("down"))
                .map(i -> own.leaves((Instruction.Local) i)).findFirst().orElseThrow();
    }
}
