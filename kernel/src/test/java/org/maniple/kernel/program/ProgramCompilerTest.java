package org.maniple.kernel.program;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.maniple.kernel.program.SmallGraphs.FFN;
import static org.maniple.kernel.program.SmallGraphs.HEAD;
import static org.maniple.kernel.program.SmallGraphs.HEADS;
import static org.maniple.kernel.program.SmallGraphs.HIDDEN;
import static org.maniple.kernel.program.SmallGraphs.KV_HEADS;
import static org.maniple.kernel.program.SmallGraphs.PP;
import static org.maniple.kernel.program.SmallGraphs.TP;
import static org.maniple.kernel.program.SmallGraphs.graph;
import static org.maniple.kernel.program.SmallGraphs.lines;
import static org.maniple.kernel.program.SmallGraphs.mesh;
import static org.maniple.kernel.program.SmallGraphs.rule;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.ElementFunction.Activation;
import org.maniple.api.graph.GraphBuilder;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Value;
import org.maniple.api.mesh.AxisRule;
import org.maniple.api.mesh.Mesh;
import org.maniple.api.mesh.MeshDimension;
import org.maniple.api.tensor.UnitList;

class ProgramCompilerTest {

    private static final List<AxisRule> TENSOR = List.of(rule(Axes.HEADS, TP), rule(Axes.FFN, TP), rule(Axes.VOCAB, TP));

    private static Value feedForward(GraphBuilder builder, Value x) {
        Value gate = builder.contract("gate", x, builder.parameter("gate_proj", FFN, HIDDEN));
        Value up = builder.contract("up", x, builder.parameter("up_proj", FFN, HIDDEN));
        return builder.contract("mlp", builder.glu("gated", gate, up, Activation.SILU),
                builder.parameter("down_proj", HIDDEN, FFN));
    }

    private static MeshProgram compile(ModelGraph graph, Mesh mesh, List<AxisRule> rules) {
        return new ProgramCompiler(graph, mesh, rules).compile();
    }

    @Test
    void aContractionOverASplitAxisIsAllReducedWhereSomebodyNeedsTheWhole() {
        MeshProgram program = compile(graph(1, b -> x -> b.sum("hidden.1", x, feedForward(b, x))), mesh(TP, 2), TENSOR);

        assertThat(lines(program, 0)).containsExactly(
                "CONTRACT hidden.* R, gate_proj S(FFN) -> gate S(FFN)",
                "CONTRACT hidden.* R, up_proj S(FFN) -> up S(FFN)",
                "MAP glu gate S(FFN), up S(FFN) -> gated S(FFN)",
                "CONTRACT gated S(FFN), down_proj S(FFN) -> mlp P(sum)",
                "~ all-reduce tp mlp P(sum) -> R 32 bytes per token",
                "MAP add hidden.* R, mlp R -> hidden.+ R");
    }

    @Test
    void twoPartialSumsAreAddedBeforeTheyAreReduced() {
        MeshProgram program = compile(graph(1, b -> x -> b.sum("both", feedForward(b, x), feedForward(b, x))), mesh(TP, 2),
                TENSOR);

        assertThat(lines(program, 0).getLast()).isEqualTo("~ all-reduce tp both P(sum) -> R 32 bytes per token");
        assertThat(lines(program, 0)).filteredOn(l -> l.startsWith("~")).hasSize(1);
    }

    @Test
    void aBiasIsNeverAddedToAPartialSum() {
        MeshProgram program = compile(graph(1, b -> x -> b.sum("biased", feedForward(b, x), b.parameter("bias", HIDDEN))),
                mesh(TP, 2),
                TENSOR);

        assertThat(lines(program, 0)).endsWith("~ all-reduce tp mlp P(sum) -> R 32 bytes per token",
                "MAP add mlp R, bias R -> biased R");
    }

    @Test
    void scalingPassesAPartialSumOn() {
        MeshProgram program = compile(graph(1, b -> x -> b.scale("scaled", feedForward(b, x), 2)), mesh(TP, 2), TENSOR);

        assertThat(lines(program, 0)).endsWith("MAP scale mlp P(sum) -> scaled P(sum)",
                "~ all-reduce tp scaled P(sum) -> R 32 bytes per token");
    }

    @Test
    void aNormOverASplitAxisReducesOneNumberPerToken() {
        MeshProgram program = compile(graph(1, b -> x -> {
            Value q = b.contract("q", x, b.parameter("q_proj", HEADS, HEAD, HIDDEN));
            Value normed = b.rmsNorm("normed", q, b.parameter("q_norm", HEADS, HEAD), 1e-6, 0);
            return b.contract("out", normed, b.parameter("o_proj", HIDDEN, HEADS, HEAD));
        }), mesh(TP, 2), TENSOR);

        assertThat(lines(program, 0)).contains(
                "SUMSQ q S(HEADS) -> normed.squares P(sum)",
                "~ all-reduce tp normed.squares P(sum) -> R 4 bytes per token",
                "NORMALIZE q S(HEADS), normed.squares R, q_norm S(HEADS) -> normed S(HEADS)");
    }

    @Test
    void aSumOverUnitsThatTwoRanksShareIsGatheredFirst() {
        var thirds = List.of(new AxisRule(Axes.HEADS, List.of(TP), SmallGraphs.sizes(3, 2, 3)));
        MeshProgram program = compile(graph(1, b -> x -> {
            Value k = b.contract("k", x, b.parameter("k_proj", KV_HEADS, HEAD, HIDDEN));
            Value squares = b.add(new BuiltinOp.SumSquares(List.of(Axes.KV_HEADS, HEAD.axis())), "squares", List.of(Dim.TOKENS),
                    k);
            return b.add(new BuiltinOp.Elementwise(new org.maniple.api.graph.ElementFunction.Scale(1)), "same", x.dims(), x,
                    squares);
        }), mesh(TP, 3), thirds);

        assertThat(lines(program, 0)).contains("~ all-gather tp k S(KV_HEADS) -> R 21 bytes per token", "SUMSQ k R -> squares R");
    }

    @Test
    void keyValueHeadsFollowTheirQueryHeadsAndMayBeHeldTwice() {
        var thirds = List.of(new AxisRule(Axes.HEADS, List.of(TP), SmallGraphs.sizes(3, 2, 3)));
        MeshProgram program = compile(graph(1, b -> x -> {
            b.contract("k", x, b.parameter("k_proj", KV_HEADS, HEAD, HIDDEN));
            return b.scale("same", x, 1);
        }), mesh(TP, 3), thirds);

        List<UnitList> held = List.of(0, 1, 2).stream().map(rank -> {
            RankProgram own = program.forRank(rank);
            Piece k = own.weights().stream().filter(p -> p.operand().name().equals("k_proj")).findFirst().orElseThrow();
            return own.units(k).get(Axes.KV_HEADS);
        }).toList();
        assertThat(held).containsExactly(UnitList.range(0, 2), UnitList.range(1, 3), UnitList.range(2, 4));
    }

    @Test
    void aLaterRuleGoesFirstAndAnEarlierOneStepsBack() {
        var rules = List.of(rule(Axes.HIDDEN, TP), rule(Axes.FFN, TP));
        MeshProgram program = compile(graph(1, b -> x -> feedForward(b, x)), mesh(TP, 2), rules);

        assertThat(lines(program, 0)).contains("CONTRACT gated S(FFN), down_proj S(FFN) -> mlp P(sum)");
    }

    @Test
    void anAxisFollowsTheLastRuleAboutIt() {
        var fp = new MeshDimension("fp", 250);
        MeshProgram program = compile(graph(1, b -> x -> feedForward(b, x)), new Mesh(List.of(fp, TP), List.of(2, 2)),
                List.of(rule(Axes.FFN, TP), rule(Axes.FFN, fp)));

        assertThat(lines(program, 0)).contains("CONTRACT gated S(FFN),R, down_proj S(FFN),R -> mlp P(sum),R");
    }

    @Test
    void aPartialSumIsScatteredOntoAnAxisThatTheSameDimensionSplits() {
        var rules = List.of(rule(Axes.HIDDEN, TP), rule(Axes.FFN, TP));
        MeshProgram program = compile(graph(1, b -> x -> b.sum("hidden.1", x, feedForward(b, x))), mesh(TP, 2), rules);

        assertThat(lines(program, 0)).contains("~ reduce-scatter tp mlp P(sum) -> S(HIDDEN) 16 bytes per token");
    }

    @Test
    void twoParallelismsWithTheirOwnDimensionsDoNotKnowEachOther() {
        var fp = new MeshDimension("fp", 250);
        var mesh = new Mesh(List.of(fp, TP), List.of(2, 2));
        MeshProgram program = compile(graph(1, b -> x -> b.sum("hidden.1", x, feedForward(b, x))), mesh,
                List.of(rule(Axes.VOCAB, TP), rule(Axes.FFN, fp)));

        assertThat(lines(program, -1)).contains("~ all-reduce tp hidden.+ R,P(sum) -> R,R 32 bytes per token");
        assertThat(lines(program, 0)).contains("~ all-reduce fp mlp P(sum),R -> R,R 32 bytes per token");
    }

    @Test
    void oneExchangeGoesOverBothDimensionsThatAnAxisIsSplitOver() {
        var dp = new MeshDimension("dp", 100);
        var both = new AxisRule(Axes.FFN, List.of(dp, TP), SmallGraphs.EVEN);
        MeshProgram program = compile(graph(1, b -> x -> b.sum("hidden.1", x, feedForward(b, x))),
                new Mesh(List.of(dp, TP), List.of(2, 2)), List.of(both));

        assertThat(lines(program, 0)).contains("~ all-reduce dp x tp mlp P(sum),P(sum) -> R,R 48 bytes per token");
        Piece down = program.forRank(2).weights().stream().filter(p -> p.operand().name().equals("down_proj")).findFirst()
                .orElseThrow();
        assertThat(program.forRank(2).units(down))
                .isEqualTo(Map.of(Axes.FFN, UnitList.range(6, 9), Axes.HIDDEN, UnitList.range(0, 8)));
    }

    @Test
    void stagesHandOnWhatLaterOnesRead() {
        MeshProgram program = compile(graph(3, b -> x -> b.sum("hidden", x, feedForward(b, x))), mesh(PP, 2),
                List.of(rule(Axes.LAYERS, PP)));

        assertThat(new ProgramListing(program).transfers())
                .containsExactly("~ transfer stage 0 -> 1  hidden R  32 bytes per token");
        assertThat(program.blocks(0)).isEqualTo(UnitList.range(0, 2));
        assertThat(program.forRank(0).weights()).extracting(p -> p.operand().name()).contains("embedding").doesNotContain("head");
        assertThat(program.forRank(1).weights()).extracting(p -> p.operand().name()).contains("head", "norm")
                .doesNotContain("embedding");
        assertThat(program.resultRank()).isEqualTo(1);
    }

    @Test
    void aSplitThatLeavesUnitsOutIsRefused() {
        var wrong = List.of(new AxisRule(Axes.FFN, List.of(TP), SmallGraphs.sizes(6, 5)));

        assertThatThrownBy(() -> compile(graph(1, b -> x -> feedForward(b, x)), mesh(TP, 2), wrong))
                .isInstanceOf(CompileException.class)
                .hasMessage(
                        "the rule for axis FFN over [tp] splits 12 units into [0-5, 6-10]; expected 2 parts that contain every unit");
    }

    @Test
    void stagesThatAreNoRunsOfBlocksAreRefused() {
        var wrong = List.of(new AxisRule(Axes.LAYERS, List.of(PP), r -> List.of(UnitList.of(0, 2), UnitList.of(1))));

        assertThatThrownBy(() -> compile(graph(3, b -> x -> b.scale("same", x, 1)), mesh(PP, 2), wrong))
                .isInstanceOf(CompileException.class)
                .hasMessage("stages must be runs of following blocks, not [0,2, 1]");
    }

    @Test
    void anAxisThatNobodyKnowsCanBeSplitLikeAnyOther() {
        var lanes = new Axis("LANES").of(4);
        MeshProgram program = compile(graph(1, b -> x -> {
            Value split = b.contract("lanes", x, b.parameter("in", lanes, HIDDEN));
            return b.contract("out", split, b.parameter("out_proj", HIDDEN, lanes));
        }), mesh(TP, 2), List.of(rule(lanes.axis(), TP)));

        assertThat(lines(program, 0)).contains("CONTRACT lanes S(LANES), out_proj S(LANES) -> out P(sum)");
    }

    @Test
    void equalProgramsHaveEqualFingerprintsAndOtherSplitsOthers() {
        ModelGraph graph = graph(1, b -> x -> feedForward(b, x));
        String even = ProgramFingerprint.of(compile(graph, mesh(TP, 2), TENSOR));
        String again = ProgramFingerprint.of(compile(graph(1, b -> x -> feedForward(b, x)), mesh(TP, 2), TENSOR));
        String uneven = ProgramFingerprint.of(
                compile(graph, mesh(TP, 2), List.of(new AxisRule(Axes.FFN, List.of(TP), SmallGraphs.sizes(4, 8)))));

        assertThat(again).isEqualTo(even);
        assertThat(uneven).isNotEqualTo(even);
    }
}
