package org.maniple.kernel.load;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.GraphBuilder;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.TensorView;
import org.maniple.api.graph.Value;
import org.maniple.api.mesh.AxisRule;
import org.maniple.api.mesh.Mesh;
import org.maniple.api.mesh.MeshDimension;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.UnitList;
import org.maniple.kernel.program.Piece;
import org.maniple.kernel.program.ProgramCompiler;
import org.maniple.kernel.program.RankProgram;

class WeightLoaderTest {

    private static final MeshDimension TP = new MeshDimension("tp", 300);
    private static final Dim HIDDEN = Axes.HIDDEN.of(4);
    private static final Dim FFN = Axes.FFN.of(6);
    private static final Dim VOCAB = Axes.VOCAB.of(8);

    private static ModelGraph graph() {
        var builder = new GraphBuilder("small", 1);
        Parameter embedding = builder.parameter("embedding", VOCAB, HIDDEN);
        Value x = builder.embed("hidden.0", embedding);
        builder.layer(0);
        Value up = builder.contract("up", x, builder.parameter("up", FFN, HIDDEN));
        Value down = builder.contract("down", up, builder.parameter("down", HIDDEN, FFN));
        builder.layer(1);
        Parameter tied = builder.parameter("head", TensorView.stored("embedding", TensorView.dim(VOCAB), TensorView.dim(HIDDEN)),
                VOCAB,
                HIDDEN);
        return builder.head(down, tied, 16);
    }

    private static MemoryCheckpoint checkpoint() {
        return new MemoryCheckpoint().with("embedding", 8, 4).with("up", 6, 4).with("down", 4, 6).with("unused", 100, 100);
    }

    private static RankProgram program(int ranks, int rank) {
        org.maniple.api.mesh.Splitter halves = request -> {
            var parts = new ArrayList<UnitList>();
            for (int i = 0; i < request.parts(); i++) {
                parts.add(UnitList.range(request.units() * i / request.parts(), request.units() * (i + 1) / request.parts()));
            }
            return parts;
        };
        var rules = List.<AxisRule>of(new AxisRule(Axes.FFN, List.of(TP), halves), new AxisRule(Axes.VOCAB, List.of(TP), halves));
        return new ProgramCompiler(graph(), new Mesh(List.of(TP), List.of(ranks)), rules).compile().forRank(rank);
    }

    private static Map<Piece, Tensor> load(MemoryCheckpoint checkpoint, RankProgram program) {
        return new WeightLoader(checkpoint, Quantization.NONE, Arena.ofAuto(), Arena.ofAuto()::allocate).load(program,
                (done, total) -> {});
    }

    private static List<Float> values(Map<Piece, Tensor> weights, String name) {
        Tensor tensor = weights.entrySet().stream().filter(e -> e.getKey().operand().name().equals(name)).findFirst()
                .orElseThrow()
                .getValue();
        var values = new ArrayList<Float>();
        for (int row = 0; row < tensor.rows(); row++) {
            for (int i = 0; i < tensor.width(); i++) {
                values.add(tensor.stacked()
                        ? tensor.slot(row).get(JAVA_FLOAT_UNALIGNED, 4L * i)
                        : tensor.segment().get(JAVA_FLOAT_UNALIGNED, 4L * ((long) row * tensor.width() + i)));
            }
        }
        return values;
    }

    @Test
    void aRankGetsItsRowsAndItsColumns() {
        Map<Piece, Tensor> weights = load(checkpoint(), program(2, 1));

        assertThat(values(weights, "up")).containsExactly(12f, 13f, 14f, 15f, 16f, 17f, 18f, 19f, 20f, 21f, 22f, 23f);
        assertThat(values(weights, "down")).containsExactly(3f, 4f, 5f, 9f, 10f, 11f, 15f, 16f, 17f, 21f, 22f, 23f);
    }

    @Test
    void onlyTheShareOfARankIsTouched() {
        var checkpoint = checkpoint();
        RankProgram program = program(2, 0);
        var loader = new WeightLoader(checkpoint, Quantization.NONE, Arena.ofAuto(), Arena.ofAuto()::allocate);
        loader.load(program, (done, total) -> {});
        LoadReport report = loader.report(program);

        assertThat(report.modelBytes()).isEqualTo((8 * 4 + 6 * 4 + 4 * 6) * 4);
        assertThat(report.mappedBytes()).isEqualTo((4 * 4 + 3 * 4) * 4);
        assertThat(report.copiedBytes()).isEqualTo(4 * 3 * 4);
        assertThat(report.bytes()).isLessThanOrEqualTo(report.modelBytes() / 2 + report.replicatedBytes());
    }

    @Test
    void tiedWeightsAreMappedOnce() {
        RankProgram program = program(1, 0);
        var loader = new WeightLoader(checkpoint(), Quantization.NONE, Arena.ofAuto(), Arena.ofAuto()::allocate);
        Map<Piece, Tensor> weights = loader.load(program, (done, total) -> {});

        assertThat(values(weights, "head")).isEqualTo(values(weights, "embedding"));
        assertThat(loader.report(program).mappedBytes()).isEqualTo((8 * 4 + 6 * 4 + 4 * 6) * 4);
    }

    @Test
    void tiedWeightsAreCountedOnce() {
        RankProgram program = program(2, 0);
        var loader = new WeightLoader(checkpoint(), Quantization.NONE, Arena.ofAuto(), Arena.ofAuto()::allocate);
        loader.load(program, (done, total) -> {});

        assertThat(loader.bytes(program)).isEqualTo((4 * 4 + 3 * 4 + 4 * 3) * 4).isEqualTo(loader.report(program).bytes());
    }

    @Test
    void progressReachesTheTotal() {
        var seen = new ArrayList<Long>();
        new WeightLoader(checkpoint(), Quantization.NONE, Arena.ofAuto(), Arena.ofAuto()::allocate).load(program(2, 0),
                (done, total) -> seen.add(total - done));

        assertThat(seen).isSortedAccordingTo((a, b) -> Long.compare(b, a)).endsWith(0L);
    }

    @Test
    void everythingThatDoesNotFitIsSaidAtOnce() {
        var checkpoint = new MemoryCheckpoint().with("embedding", 8, 4).with("up", 6, 5);

        assertThatThrownBy(() -> load(checkpoint, program(1, 0)))
                .isInstanceOf(CheckpointException.class)
                .hasMessage("""
                        the checkpoint does not fit its config.json:
                          tensor up: expected [6, 4], found F32[6, 5] in memory
                          tensor down: expected [4, 6], but there is no such tensor""");
    }

    @Test
    void aCheckpointWithFewerExpertsThanItsConfigurationSaysIsOneProblem() {
        var experts = new Axis("EXPERTS").of(4);
        var view = new TensorView.Stacked(experts.axis(), 4, "expert.{}.up",
                List.of(TensorView.dim(FFN), TensorView.dim(HIDDEN)));
        var parameter = new Parameter(0, "experts", List.of(experts, FFN, HIDDEN), view);
        var checkpoint = new MemoryCheckpoint().with("expert.0.up", 6, 4).with("expert.1.up", 6, 4);

        assertThatThrownBy(() -> WeightLoader.check(checkpoint, Quantization.NONE, List.of(parameter)))
                .isInstanceOf(CheckpointException.class)
                .hasMessage("""
                        the checkpoint does not fit its config.json:
                          tensors expert.{}.up: config.json says that there are 4 (EXPERTS), the checkpoint has 2""");
    }

    @Test
    void stackedTensorsAreReadOneByOneAndOnlyTheOwnOnes() {
        var experts = new Axis("PARTS").of(3);
        var view = new TensorView.Stacked(experts.axis(), 3, "expert.{}.up",
                List.of(TensorView.dim(FFN), TensorView.dim(HIDDEN)));
        var builder = new GraphBuilder("small", 1);
        Value x = builder.embed("hidden.0", builder.parameter("embedding", VOCAB, HIDDEN));
        builder.layer(0);
        Value all = builder.contract("all", x, builder.parameter("experts", view, experts, FFN, HIDDEN));
        Value back = builder.contract("back", all, builder.parameter("back", HIDDEN, experts, FFN));
        builder.layer(1);
        ModelGraph graph = builder.head(back, builder.parameter("head", VOCAB, HIDDEN), 16);
        org.maniple.api.mesh.Splitter split = request -> List.of(UnitList.of(0, 2), UnitList.of(1));
        RankProgram program = new ProgramCompiler(graph, new Mesh(List.of(TP), List.of(2)),
                List.of(new AxisRule(experts.axis(), List.of(TP), split))).compile().forRank(0);
        var checkpoint = new MemoryCheckpoint().with("embedding", 8, 4).with("head", 8, 4).with("back", 4, 3, 6)
                .with("expert.0.up", 6, 4).with("expert.1.up", 6, 4).with("expert.2.up", 6, 4);

        List<Float> values = values(load(checkpoint, program), "experts");

        assertThat(values).hasSize(48).startsWith(0f, 1f).endsWith(22f, 23f);
        assertThat(values.get(24)).isZero();
    }
}
