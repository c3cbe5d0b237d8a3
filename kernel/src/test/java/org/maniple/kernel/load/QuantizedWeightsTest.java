package org.maniple.kernel.load;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.GraphBuilder;
import org.maniple.api.graph.Parameter;
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

/** Quantised weights in a model that is one matrix up and one down. Elements of FP8 tensors are their own index, factors count from 1. */
class QuantizedWeightsTest {

    private static final MeshDimension TP = new MeshDimension("tp", 300);
    private static final Dim HIDDEN = Axes.HIDDEN.of(7);
    private static final Dim FFN = Axes.FFN.of(10);
    private static final Dim VOCAB = Axes.VOCAB.of(2);
    private static final Quantization BLOCKS = new Quantization(Method.FP8, 4, 3);

    private final MemoryCheckpoint checkpoint = new MemoryCheckpoint().with("embedding", 2, 7).with("head", 2, 7);

    private static byte[] counting(int bytes) {
        byte[] counting = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            counting[i] = (byte) i;
        }
        return counting;
    }

    private static byte[] factors(int count) {
        ByteBuffer buffer = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < count; i++) {
            buffer.putFloat(i + 1);
        }
        return buffer.array();
    }

    private static TensorView matrix(String tensor, Dim rows, Dim columns) {
        return TensorView.stored(tensor, TensorView.dim(rows), TensorView.dim(columns));
    }

    private static Parameter parameter(RankProgram program, String name) {
        return (Parameter) piece(program, name).operand();
    }

    private static Piece piece(RankProgram program, String name) {
        return program.weights().stream().filter(p -> p.operand().name().equals(name)).findFirst().orElseThrow();
    }

    /** One rank has some units, another one the rest. */
    private static List<UnitList> parts(UnitList own, int units) {
        return List.of(own, UnitList.of(IntStream.range(0, units).filter(u -> !own.contains(u)).toArray()));
    }

    /** The first rank of two, of which it has some columns of the feed-forward network. */
    private static RankProgram program(TensorView up, TensorView down, UnitList own) {
        var builder = new GraphBuilder("small", 1);
        Value x = builder.embed("hidden.0", builder.parameter("embedding", VOCAB, HIDDEN));
        builder.layer(0);
        Value wide = builder.contract("wide", x, builder.parameter("up", up, FFN, HIDDEN));
        Value back = builder.contract("back", wide, builder.parameter("down", down, HIDDEN, FFN));
        builder.layer(1);
        var rule = new AxisRule(Axes.FFN, List.of(TP), request -> parts(own, request.units()));
        return new ProgramCompiler(builder.head(back, builder.parameter("head", VOCAB, HIDDEN), 16),
                new Mesh(List.of(TP), List.of(2)), List.of(rule)).compile().forRank(0);
    }

    private WeightLoader loader() {
        return new WeightLoader(checkpoint, BLOCKS, Arena.ofAuto(), Arena.ofAuto()::allocate);
    }

    private Tensor load(RankProgram program, String name) {
        Map<Piece, Tensor> weights = loader().load(program, (done, total) -> {});
        return weights.get(piece(program, name));
    }

    /** Stored element and factor of each element of an FP8 slice. */
    private static List<List<Integer>> elementsAndFactors(Tensor tensor) {
        List<Integer> ends = tensor.scales().orElseThrow().ends();
        Tensor factors = tensor.scales().orElseThrow().factors();
        var all = new ArrayList<List<Integer>>();
        for (int row = 0; row < tensor.rows(); row++) {
            int block = 0;
            for (int i = 0; i < tensor.width(); i++) {
                block += ends.get(block) == i ? 1 : 0;
                all.add(List.of((int) tensor.segment().get(JAVA_BYTE, (long) row * tensor.width() + i),
                        (int) factors.segment().get(JAVA_FLOAT_UNALIGNED, 4L * (row * ends.size() + block))));
            }
        }
        return all;
    }

    private static List<List<Integer>> expected(int[] rows, int[] columns, int width) {
        int blocks = (width + 2) / 3;
        var all = new ArrayList<List<Integer>>();
        for (int row : rows) {
            for (int column : columns) {
                all.add(List.of(row * width + column, row / 4 * blocks + column / 3 + 1));
            }
        }
        return all;
    }

    private RankProgram fp8(UnitList own) {
        checkpoint.with("u", DType.F8_E4M3, counting(70), 10, 7).with("u_scale_inv", DType.F32, factors(9), 3, 3);
        checkpoint.with("d", DType.F8_E4M3, counting(70), 7, 10).with("d_scale_inv", DType.F32, factors(8), 2, 4);
        return program(matrix("u", FFN, HIDDEN), matrix("d", HIDDEN, FFN), own);
    }

    @Test
    void rowsOfFp8KeepTheFactorsOfTheirStoredRows() {
        Tensor up = load(fp8(UnitList.of(1, 3, 4, 9)), "up");

        assertThat(up.dtype()).isEqualTo(DType.F8_E4M3);
        assertThat(up.scales().orElseThrow().ends()).containsExactly(3, 6, 7);
        assertThat(elementsAndFactors(up)).isEqualTo(expected(new int[] {1, 3, 4, 9}, new int[] {0, 1, 2, 3, 4, 5, 6}, 7));
    }

    @Test
    void aSliceOfColumnsMayBeginWithinABlock() {
        Tensor down = load(fp8(UnitList.range(2, 8)), "down");

        assertThat(down.scales().orElseThrow().ends()).containsExactly(1, 4, 6);
        assertThat(elementsAndFactors(down))
                .isEqualTo(expected(new int[] {0, 1, 2, 3, 4, 5, 6}, new int[] {2, 3, 4, 5, 6, 7}, 10));
    }

    @Test
    void columnsThatAreLeftOutSeparateBlocksOnlyWhereTheirFactorsDiffer() {
        Tensor down = load(fp8(UnitList.of(0, 2, 5, 6, 9)), "down");

        assertThat(down.scales().orElseThrow().ends()).containsExactly(2, 3, 4, 5);
        assertThat(elementsAndFactors(down)).isEqualTo(expected(new int[] {0, 1, 2, 3, 4, 5, 6}, new int[] {0, 2, 5, 6, 9}, 10));
    }

    @Test
    void aRankWithoutColumnsHasNoFactorsEither() {
        Tensor down = load(fp8(UnitList.empty()), "down");

        assertThat(down.width()).isZero();
        assertThat(down.scales().orElseThrow().ends()).isEmpty();
    }

    @Test
    void factorsCountAmongTheBytes() {
        RankProgram program = fp8(UnitList.range(2, 8));
        WeightLoader loader = loader();
        loader.load(program, (done, total) -> {});
        LoadReport report = loader.report(program);

        int unquantised = 2 * 2 * 7 * 4;
        int up = 6 * 7 + 6 * 3 * 4;
        int down = 7 * 6 + 7 * 3 * 4;
        assertThat(loader.bytes(program)).isEqualTo(unquantised + up + down);
        assertThat(report.bytes()).isEqualTo(loader.bytes(program));
        assertThat(report.mappedBytes()).isEqualTo(unquantised + 6 * 7);
        assertThat(report.modelBytes()).isEqualTo(unquantised + 70 + 10 * 3 * 4 + 70 + 7 * 4 * 4);
    }

    @Test
    void headsAreRowsOrColumnsWithTheirInnerDimensions() {
        Dim heads = Axes.HEADS.of(5);
        Dim inner = new Axis("vd").of(2);
        TensorView rows = TensorView.stored("u", TensorView.dim(heads, inner), TensorView.dim(HIDDEN));
        TensorView columns = TensorView.stored("d", TensorView.dim(HIDDEN), TensorView.dim(heads, inner));
        fp8(UnitList.empty());
        var builder = new GraphBuilder("small", 1);
        Value x = builder.embed("hidden.0", builder.parameter("embedding", VOCAB, HIDDEN));
        builder.layer(0);
        Value wide = builder.contract("wide", x, builder.parameter("up", rows, heads, inner, HIDDEN));
        Value back = builder.contract("back", wide, builder.parameter("down", columns, HIDDEN, heads, inner));
        builder.layer(1);
        var rule = new AxisRule(Axes.HEADS, List.of(TP), r -> List.of(UnitList.of(1, 4), UnitList.of(0, 2, 3)));
        RankProgram program = new ProgramCompiler(builder.head(back, builder.parameter("head", VOCAB, HIDDEN), 16),
                new Mesh(List.of(TP), List.of(2)), List.of(rule)).compile().forRank(0);

        Tensor up = load(program, "up");
        Tensor down = load(program, "down");

        assertThat(up.scales().orElseThrow().factors().rank()).isEqualTo(3);
        assertThat(tuples(up)).isEqualTo(expected(new int[] {2, 3, 8, 9}, new int[] {0, 1, 2, 3, 4, 5, 6}, 7));
        assertThat(tuples(down)).isEqualTo(expected(new int[] {0, 1, 2, 3, 4, 5, 6}, new int[] {2, 3, 8, 9}, 10));
    }

    /** As {@link #elementsAndFactors} of a tensor whose rows have two dimensions, or whose columns have. */
    private static List<List<Integer>> tuples(Tensor tensor) {
        int length = tensor.scales().orElseThrow().ends().getLast();
        int rows = tensor.rows() * tensor.width() / length;
        Tensor factors = tensor.scales().orElseThrow().factors();
        Tensor flat = Tensor.of(DType.F8_E4M3, new int[] {rows, length}, tensor.segment());
        return elementsAndFactors(flat.scaled(
                new org.maniple.api.tensor.BlockScales(tensor.scales().orElseThrow().ends(), factors)));
    }

    @Test
    void factorsMayBeBf16() {
        RankProgram program = fp8(UnitList.range(0, 10));
        byte[] ones = new byte[2 * 9];
        for (int i = 0; i < 9; i++) {
            ones[2 * i] = (byte) 0x80;
            ones[2 * i + 1] = 0x3f;
        }
        checkpoint.with("u_scale_inv", DType.BF16, ones, 3, 3);

        assertThat(elementsAndFactors(load(program, "up"))).extracting(pair -> pair.get(1)).containsOnly(1);
    }

    @Test
    void whateverIsWrongWithQuantisedTensorsIsSaidAtOnce() {
        checkpoint.with("u", DType.F8_E4M3, counting(70), 10, 7);
        checkpoint.with("d", DType.F8_E4M3, counting(70), 7, 10).with("d_scale_inv", DType.F32, factors(1), 1);
        RankProgram program = program(matrix("u", FFN, HIDDEN), matrix("d", HIDDEN, FFN), UnitList.range(0, 5));

        assertThatThrownBy(() -> loader().bytes(program)).isInstanceOf(CheckpointException.class).hasMessage("""
                the checkpoint does not fit its config.json:
                  tensor u_scale_inv: expected [3, 3], the factors of blocks of 4x3 in u, but there is no such tensor
                  tensor d_scale_inv: expected [2, 4], the factors of blocks of 4x3 in d, found F32[1] in memory""");
    }

    @Test
    void typesOfFactorsAndOfMxfp4AreChecked() {
        checkpoint.with("u", DType.F8_E4M3, counting(70), 10, 7).with("u_scale_inv", DType.I32, factors(9), 3, 3);
        Dim wide = Axes.FFN.of(32);
        var view = new TensorView.Mxfp4("blocks", "scales", List.of(TensorView.dim(HIDDEN), TensorView.dim(wide)));
        checkpoint.with("blocks", DType.I8, new byte[7 * 16], 7, 1, 16);
        var builder = new GraphBuilder("small", 1);
        Value x = builder.embed("hidden.0", builder.parameter("embedding", VOCAB, HIDDEN));
        builder.layer(0);
        Value up = builder.contract("up", x, builder.parameter("up", matrix("u", FFN, HIDDEN), FFN, HIDDEN));
        builder.contract("other", x, builder.parameter("down", view, wide, HIDDEN));
        builder.layer(1);
        RankProgram program = new ProgramCompiler(
                builder.head(builder.contract("back", up, builder.parameter("head", HIDDEN, FFN)),
                        builder.parameter("embedding", VOCAB, HIDDEN), 16),
                new Mesh(List.of(), List.of()), List.of()).compile().forRank(0);

        assertThatThrownBy(() -> loader().bytes(program)).isInstanceOf(CheckpointException.class).hasMessageContainingAll(
                "tensor u_scale_inv: type I32 in memory cannot be computed with; factors have F32, F16 or BF16",
                "tensor blocks: type I8 in memory cannot be computed with; MXFP4 has U8",
                "tensor scales: expected [7, 1], but there is no such tensor");
    }

    @Test
    void fp8WhoseRowsAreHeldAsColumnsIsRefused() {
        fp8(UnitList.empty());
        RankProgram program = program(matrix("d", HIDDEN, FFN), matrix("d", HIDDEN, FFN), UnitList.range(0, 5));

        assertThatThrownBy(() -> loader().bytes(program)).isInstanceOf(CheckpointException.class)
                .hasMessageContainingAll("tensor d: type F8_E4M3 [7, 10] cannot be used as [FFN:10, HIDDEN:7]",
                        "rows and columns");
    }

    @Test
    void mxfp4BecomesBf16ExactlyAlsoWhereASliceBeginsWithinABlock() {
        Dim wide = Axes.FFN.of(64);
        byte[] pairs = counting(7 * 32);
        byte[] scales = {127, (byte) 128, 126, (byte) 254, 0, 1, (byte) 255, 127, 127, 127, 127, 127, 127, 127};
        checkpoint.with("u", 64, 7).with("blocks", DType.U8, pairs, 7, 2, 16).with("scales", DType.U8, scales, 7, 2);
        var view = new TensorView.Mxfp4("blocks", "scales", List.of(TensorView.dim(HIDDEN), TensorView.dim(wide)));
        var builder = new GraphBuilder("small", 1);
        Value x = builder.embed("hidden.0", builder.parameter("embedding", VOCAB, HIDDEN));
        builder.layer(0);
        Value up = builder.contract("wide", x, builder.parameter("u", wide, HIDDEN));
        Value back = builder.contract("back", up, builder.parameter("down", view, HIDDEN, wide));
        builder.layer(1);
        UnitList own = UnitList.range(21, 50);
        var rule = new AxisRule(Axes.FFN, List.of(TP), r -> parts(own, 64));
        RankProgram program = new ProgramCompiler(builder.head(back, builder.parameter("head", VOCAB, HIDDEN), 16),
                new Mesh(List.of(TP), List.of(2)), List.of(rule)).compile().forRank(0);

        Tensor down = load(program, "down");

        assertThat(parameter(program, "down").source()).isEqualTo(view);
        assertThat(down.dtype()).isEqualTo(DType.BF16);
        float[] sizes = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
        for (int row = 0; row < 7; row++) {
            for (int i = 0; i < 29; i++) {
                int element = row * 64 + own.get(i);
                int code = (pairs[element / 2] & 0xff) >> (element % 2 == 0 ? 0 : 4) & 15;
                int scale = scales[element / 32] & 0xff;
                double value = scale == 255
                        ? Double.NaN
                        : (float) (sizes[code & 7] * (code < 8 ? 1 : -1) * Math.pow(2, scale - 127));
                assertThat(Float.intBitsToFloat(down.segment().get(JAVA_SHORT_UNALIGNED, 2L * (row * 29 + i)) << 16))
                        .as("row %s, element %s", row, own.get(i)).isEqualTo(Float.valueOf((float) value));
            }
        }
        assertThat(loader().bytes(program)).isEqualTo(2 * 2 * 7 * 4 + 29 * 7 * 4 + 7 * 29 * 2);
    }
}
