package org.maniple.kernel.load;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.GraphBuilder;
import org.maniple.api.graph.TensorView;
import org.maniple.api.graph.Value;
import org.maniple.api.mesh.AxisRule;
import org.maniple.api.mesh.Mesh;
import org.maniple.api.mesh.MeshDimension;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.UnitList;
import org.maniple.kernel.load.Quantization.Method;
import org.maniple.kernel.program.Piece;
import org.maniple.kernel.program.ProgramCompiler;
import org.maniple.kernel.program.RankProgram;

/** The weights of experts 0 and 2 of three, on a rank that has these two. Element i of a tensor is i. */
class ExpertWeightsTest {

    private static final MeshDimension EP = new MeshDimension("ep", 300);
    private static final Dim HIDDEN = Axes.HIDDEN.of(4);
    private static final Dim WIDE = Axes.EXPERT_FFN.of(6);
    private static final Dim EXPERTS = Axes.EXPERTS.of(3);
    private static final Dim VOCAB = Axes.VOCAB.of(8);
    private static final int MATRIX = 6 * 4 * 4;

    private MemoryCheckpoint checkpoint = new MemoryCheckpoint();

    @BeforeEach
    void writeModel() {
        checkpoint.with("embedding", 8, 4).with("head", 8, 4).with("router", 3, 4).with("down", 3, 4, 6);
        for (int expert = 0; expert < 3; expert++) {
            checkpoint.with("experts." + expert + ".up", 6, 4);
        }
    }

    private static final TensorView ONE_BY_ONE = new TensorView.Stacked(Axes.EXPERTS, 3, "experts.{}.up",
            List.of(TensorView.dim(WIDE), TensorView.dim(HIDDEN)));

    private static RankProgram program(TensorView up, TensorView down) {
        var builder = new GraphBuilder("small", 1);
        Value x = builder.embed("hidden.0", builder.parameter("embedding", VOCAB, HIDDEN));
        builder.layer(0);
        Value logits = builder.contract("logits.0", x, builder.parameter("router", Axes.GATES.of(3), HIDDEN));
        var route = new BuiltinOp.Route(BuiltinOp.Route.Score.SOFTMAX, 1, 1, BuiltinOp.Route.GroupScore.MAX, true, 1);
        GraphBuilder.Routing routing = builder.route("chosen", route, 2, logits, Optional.empty());
        Value pairs = builder.dispatch("pairs", x, routing, 3);
        Value wide = builder.contract("wide", pairs, builder.parameter("up", up, EXPERTS, WIDE, HIDDEN));
        Value back = builder.contract("back", wide, builder.parameter("down", down, EXPERTS, HIDDEN, WIDE));
        Value sum = builder.combine("sum", back, routing);
        builder.layer(1);
        var rule = new AxisRule(Axes.EXPERTS, List.of(EP), request -> List.of(UnitList.of(0, 2), UnitList.of(1)));
        return new ProgramCompiler(builder.head(sum, builder.parameter("head", VOCAB, HIDDEN), 16),
                new Mesh(List.of(EP), List.of(2)), List.of(rule)).compile().forRank(0);
    }

    private static TensorView fusedDown() {
        return TensorView.stored("down", TensorView.dim(EXPERTS), TensorView.dim(HIDDEN), TensorView.dim(WIDE));
    }

    private WeightLoader loader() {
        return new WeightLoader(checkpoint, new Quantization(Method.FP8, 4, 4), Arena.ofAuto(), Arena.ofAuto()::allocate);
    }

    private static Piece piece(RankProgram program, String name) {
        return program.weights().stream().filter(p -> p.operand().name().equals(name)).findFirst().orElseThrow();
    }

    @Test
    void everyExpertIsMappedIntoASlotOfItsOwn() {
        RankProgram program = program(ONE_BY_ONE, fusedDown());
        WeightLoader loader = loader();
        Map<Piece, Tensor> weights = loader.load(program, (done, total) -> {});
        Tensor up = weights.get(piece(program, "up"));
        Tensor down = weights.get(piece(program, "down"));

        assertThat(up.stacked()).isTrue();
        assertThat(up.extent(0)).isEqualTo(2);
        assertThat(up.slot(1).get(JAVA_FLOAT_UNALIGNED, 4 * 23)).isEqualTo(23);
        assertThat(down.slot(1).get(JAVA_FLOAT_UNALIGNED, 0)).isEqualTo(2 * 24);
        assertThat(loader.report(program).copiedBytes()).isZero();
        assertThat(loader.report(program).mappedBytes()).isEqualTo(4 * MATRIX + (8 * 4 + 8 * 4 + 3 * 4) * 4);
        assertThat(loader.bytes(program)).isEqualTo(loader.report(program).bytes());
        assertThat(loader.report(program).modelBytes()).isEqualTo(6 * MATRIX + (8 * 4 + 8 * 4 + 3 * 4) * 4);
    }

    @Test
    void tensorsOfOtherExpertsAreNotTouched() {
        RankProgram program = program(ONE_BY_ONE, fusedDown());

        loader().load(program, (done, total) -> {});

        assertThat(checkpoint.touched).isEqualTo(4 * MATRIX + (8 * 4 + 8 * 4 + 3 * 4) * 4);
    }

    @Test
    void anExpertThatARankDoesNotHaveCanBeLoadedLater() {
        RankProgram program = program(ONE_BY_ONE, fusedDown());
        WeightLoader loader = loader();
        Tensor down = loader.load(program, (done, total) -> {}).get(piece(program, "down"));

        ExpertSlot slot = loader.slot(program, piece(program, "down"), 1, Arena.ofAuto()::allocate);
        java.util.Objects.requireNonNull(down).replace(0, slot.elements());

        assertThat(down.slot(0).get(JAVA_FLOAT_UNALIGNED, 0)).isEqualTo(24);
        assertThat(slot.factors()).isEmpty();
        assertThatThrownBy(() -> loader.slot(program, piece(program, "down"), 3, Arena.ofAuto()::allocate))
                .hasMessageContaining("expert 3 of down");
        assertThatThrownBy(() -> loader.slot(program, piece(program, "router"), 0, Arena.ofAuto()::allocate))
                .hasMessageContaining("expert 0 of router");
    }

    @Test
    void fp8ExpertsHaveFactorsInSlotsToo() {
        for (int expert = 0; expert < 3; expert++) {
            byte[] bytes = new byte[24];
            java.util.Arrays.fill(bytes, (byte) expert);
            checkpoint.with("experts." + expert + ".up", DType.F8_E4M3, bytes, 6, 4);
            checkpoint.with("experts." + expert + ".up_scale_inv", 2, 1);
        }
        RankProgram program = program(ONE_BY_ONE, fusedDown());
        WeightLoader loader = loader();
        Tensor up = java.util.Objects.requireNonNull(loader.load(program, (done, total) -> {}).get(piece(program, "up")));
        Tensor factors = up.scales().orElseThrow().factors();

        assertThat(up.slot(1).get(JAVA_BYTE, 0)).isEqualTo((byte) 2);
        assertThat(up.scales().orElseThrow().ends()).containsExactly(4);
        assertThat(factors.stacked()).isTrue();
        assertThat(floats(factors.slot(1), 6)).containsExactly(0f, 0f, 0f, 0f, 1f, 1f);
        ExpertSlot other = loader.slot(program, piece(program, "up"), 1, Arena.ofAuto()::allocate);
        assertThat(other.elements().get(JAVA_BYTE, 0)).isEqualTo((byte) 1);
        assertThat(floats(other.factors().orElseThrow(), 6)).containsExactly(0f, 0f, 0f, 0f, 1f, 1f);
    }

    @Test
    void expertsOfDifferentTypesAreRefused() {
        checkpoint.with("experts.1.up", DType.BF16, new byte[48], 6, 4);

        assertThatThrownBy(() -> loader().bytes(program(ONE_BY_ONE, fusedDown()))).hasMessageContaining(
                "tensor experts.1.up: type BF16 in memory, but others of the same weight have F32");
    }

    private static List<Float> floats(MemorySegment memory, int count) {
        var floats = new ArrayList<Float>();
        for (int i = 0; i < count; i++) {
            floats.add(memory.getAtIndex(JAVA_FLOAT_UNALIGNED, i));
        }
        return floats;
    }
}
