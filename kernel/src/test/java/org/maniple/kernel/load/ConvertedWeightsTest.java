package org.maniple.kernel.load;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.GraphBuilder;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.TensorView;
import org.maniple.api.graph.Value;
import org.maniple.api.mesh.AxisRule;
import org.maniple.api.mesh.Mesh;
import org.maniple.api.mesh.MeshDimension;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.tensor.BlockCodec;
import org.maniple.api.tensor.BlockEncoder;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.UnitList;
import org.maniple.api.tensor.WeightLayout;
import org.maniple.kernel.program.Piece;
import org.maniple.kernel.program.ProgramCompiler;
import org.maniple.kernel.program.RankProgram;

/** Weights that become blocks when they are loaded, in a model that is one matrix up and one down. */
class ConvertedWeightsTest {

    private static final MeshDimension TP = new MeshDimension("tp", 300);
    private static final Dim HIDDEN = Axes.HIDDEN.of(64);
    private static final Dim FFN = Axes.FFN.of(160);
    private static final Dim VOCAB = Axes.VOCAB.of(2);

    @TempDir
    private Path folder;
    private final float[] up = random(160 * 64);
    private final float[] down = random(64 * 160);

    private static float[] random(int count) {
        var random = new Random(count);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private static byte[] floats(float[] values) {
        return MemorySegment.ofArray(values).toArray(JAVA_BYTE);
    }

    private static byte[] blocks(DType type, float[] values) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment blocks = arena.allocate(type.bytes((long) values.length));
            BlockEncoder.of(type).orElseThrow().encode(arena.allocateFrom(JAVA_FLOAT, values), 0, blocks, 0, values.length);
            return blocks.toArray(JAVA_BYTE);
        }
    }

    private MemoryCheckpoint ofFloats() {
        return new MemoryCheckpoint().with("embedding", 2, 64).with("head", 2, 64)
                .with("up.weight", DType.F32, floats(up), 160, 64)
                .with("down.weight", DType.F32, floats(down), 64, 160);
    }

    private static ModelGraph graph() {
        return graph("head");
    }

    /** The head may be the embedding. */
    private static ModelGraph graph(String head) {
        var builder = new GraphBuilder("small", 1);
        Value x = builder.embed("hidden.0", builder.parameter("embedding", VOCAB, HIDDEN));
        builder.layer(0);
        Value wide = builder.contract("wide", x, builder.parameter("up.weight", FFN, HIDDEN));
        Value back = builder.contract("back", wide, builder.parameter("down.weight", HIDDEN, FFN));
        builder.layer(1);
        TensorView stored = TensorView.stored(head, TensorView.dim(VOCAB), TensorView.dim(HIDDEN));
        return builder.head(back, builder.parameter("head", stored, VOCAB, HIDDEN), 16);
    }

    /** Rank 0 has the units from one to another of the wide axis. */
    private static RankProgram having(int from, int to) {
        return having(graph(), from, to);
    }

    private static RankProgram having(ModelGraph graph, int from, int to) {
        return new ProgramCompiler(graph, new Mesh(List.of(TP), List.of(2)), List.of(new AxisRule(Axes.FFN, List.of(TP),
                request -> List.of(UnitList.range(from, to),
                        from == 0 ? UnitList.range(to, 160) : UnitList.range(0, from).union(UnitList.range(to, 160))))))
                .compile()
                .forRank(0);
    }

    private static Tensor load(MemoryCheckpoint checkpoint, Quantization quantization, RankProgram program, String name) {
        return load(checkpoint, quantization, program, name, Optional.empty());
    }

    private static Tensor load(MemoryCheckpoint checkpoint, Quantization quantization, RankProgram program, String name,
            Optional<WeightCache> cache) {
        var packing = new Packing(weight -> Optional.empty(), 2);
        Map<Piece, Tensor> tensors = new WeightLoader(checkpoint, quantization, Arena.ofAuto(), Arena.ofAuto()::allocate, packing,
                cache).load(program, (done, total) -> {});
        return named(tensors, name);
    }

    private static Tensor named(Map<Piece, Tensor> tensors, String name) {
        return tensors.entrySet().stream().filter(entry -> entry.getKey().operand().name().equals(name)).findFirst().orElseThrow()
                .getValue();
    }

    private static byte[] bytes(Tensor tensor) {
        return tensor.segment().asSlice(0, tensor.byteSize()).toArray(JAVA_BYTE);
    }

    @Test
    void aSliceHasTheBlocksOfTheWhole() {
        Quantization quantization = Quantization.NONE.converting(graph(), DType.Q4_0);
        byte[] wholeUp = blocks(DType.Q4_0, up);
        byte[] wholeDown = blocks(DType.Q4_0, down);

        Tensor rows = load(ofFloats(), quantization, having(0, 50), "up.weight");
        Tensor columns = load(ofFloats(), quantization, having(0, 70), "down.weight");

        assertThat(rows.dtype()).isEqualTo(DType.Q4_0);
        assertThat(bytes(rows)).isEqualTo(java.util.Arrays.copyOf(wholeUp, 50 * 2 * 18));
        byte[] expected = new byte[64 * 3 * 18];
        for (int row = 0; row < 64; row++) {
            System.arraycopy(wholeDown, row * 5 * 18, expected, row * 3 * 18, 3 * 18);
        }
        assertThat(bytes(columns)).isEqualTo(expected);
    }

    @Test
    void theHeadGetsEightBitsAndTheEmbeddingStays() {
        Quantization quantization = Quantization.NONE.converting(graph(), DType.Q4_0);

        assertThat(load(ofFloats(), quantization, having(0, 50), "head").dtype()).isEqualTo(DType.Q8_0);
        assertThat(load(ofFloats(), quantization, having(0, 50), "embedding").dtype()).isEqualTo(DType.F32);
    }

    @Test
    void anEmbeddingThatIsTheHeadIsConvertedOnceAndHeldForBoth() {
        ModelGraph graph = graph("embedding");
        RankProgram program = having(graph, 0, 160);
        var asked = new ArrayList<WeightLayout.Weight>();
        var packing = new Packing(weight -> {
            asked.add(weight);
            return Optional.empty();
        }, 2);
        var loader = new WeightLoader(ofFloats(), Quantization.NONE.converting(graph, DType.Q4_0), Arena.ofAuto(),
                Arena.ofAuto()::allocate, packing);
        Map<Piece, Tensor> tensors = loader.load(program, (done, total) -> {});

        assertThat(named(tensors, "head")).isSameAs(named(tensors, "embedding"));
        assertThat(asked).filteredOn(weight -> weight.type() == DType.Q8_0).isNotEmpty()
                .allSatisfy(weight -> assertThat(weight.users()).containsExactlyInAnyOrder(WeightLayout.Use.EMBED,
                        WeightLayout.Use.CONTRACT));
        assertThat(loader.report(program).copiedBytes()).isEqualTo(2 * 2 * 34 + 2 * 160 * 2 * 18)
                .isEqualTo(loader.bytes(program));
    }

    @Test
    void whatBecomesOfWeightsIsSaid() {
        var loader = new WeightLoader(ofFloats(), Quantization.NONE.converting(graph(), DType.Q5_1), Arena.ofAuto(),
                Arena.ofAuto()::allocate);

        assertThat(loader.remarks(having(0, 80))).containsExactly("weights are held as q5_1 (2), q8_0 (1)");
    }

    private static final Map<String, Object> AWQ = Map.of("quant_method", "awq", "bits", 4, "group_size", 64);
    private static final Map<String, Object> GPTQ = Map.of("quant_method", "gptq", "bits", 4, "group_size", 64, "sym", true);

    private static Quantization of(Map<String, Object> values) {
        return Quantization.of(new ModelConfig("config.json", Map.of("quantization_config", values)));
    }

    private static byte[] randomBytes(int count) {
        byte[] bytes = new byte[count];
        new Random(count).nextBytes(bytes);
        return bytes;
    }

    /** Scales that are all one. */
    private static byte[] ones(int count) {
        byte[] bytes = new byte[2 * count];
        for (int i = 0; i < count; i++) {
            bytes[2 * i + 1] = 0x3c;
        }
        return bytes;
    }

    private MemoryCheckpoint ofAwq() {
        return new MemoryCheckpoint().with("embedding", 2, 64).with("head", 2, 64)
                .with("up.qweight", DType.I32, randomBytes(4 * 64 * 20), 64, 20)
                .with("up.qzeros", DType.I32, randomBytes(4 * 20), 1, 20).with("up.scales", DType.F16, ones(160), 1, 160)
                .with("down.weight", DType.F32, floats(down), 64, 160);
    }

    @Test
    void integersOfAnyCodeAndZeroPointAreHeldWithoutLoss() {
        byte[] words = randomBytes(4 * 64 * 20);
        byte[] zeros = randomBytes(4 * 20);
        int[] places = {0, 4, 1, 5, 2, 6, 3, 7};
        Tensor tensor = load(ofAwq(), of(AWQ), having(0, 160), "up.weight");

        MemorySegment decoded = Arena.ofAuto().allocate(4L * 160 * 64);
        BlockCodec.of(tensor.dtype()).decode(tensor.segment(), 0, decoded, 0, 160 * 64);
        var expected = new float[160 * 64];
        for (int row = 0; row < 160; row++) {
            for (int column = 0; column < 64; column++) {
                int place = places[row % 8];
                int code = words[4 * (column * 20 + row / 8) + place / 2] >> 4 * (place % 2) & 15;
                int zero = zeros[4 * (row / 8) + place / 2] >> 4 * (place % 2) & 15;
                expected[row * 64 + column] = code - zero;
            }
        }
        assertThat(tensor.dtype()).isEqualTo(DType.Q5_0);
        assertThat(decoded.toArray(JAVA_FLOAT)).isEqualTo(expected);
    }

    @Test
    void tensorsThatDoNotFitEachOtherAreNamed() {
        MemoryCheckpoint checkpoint = ofAwq().with("up.scales", DType.F16, ones(320), 2, 160);

        assertThatThrownBy(() -> load(checkpoint, of(AWQ), having(0, 80), "up.weight")).isInstanceOf(CheckpointException.class)
                .hasMessageContainingAll("up.scales", "[1, 160] for groups of 64 columns", "F16[2, 160]");
    }

    @Test
    void aTensorThatIsMissingIsNamed() {
        MemoryCheckpoint checkpoint = new MemoryCheckpoint().with("embedding", 2, 64).with("head", 2, 64)
                .with("up.qweight", DType.I32, randomBytes(4 * 64 * 20), 64, 20);

        assertThatThrownBy(() -> load(checkpoint, of(AWQ), having(0, 80), "up.weight")).isInstanceOf(CheckpointException.class)
                .hasMessageContainingAll("up.scales is missing", "awq 4 bits", "down.weight", "nor is it stored as awq 4 bits");
    }

    @Test
    void aZeroPointThatContradictsTheConfigurationIsRefused() {
        MemoryCheckpoint checkpoint = new MemoryCheckpoint().with("embedding", 2, 64).with("head", 2, 64)
                .with("up.qweight", DType.I32, randomBytes(4 * 8 * 160), 8, 160)
                .with("up.qzeros", DType.I32, randomBytes(4 * 20), 1, 20).with("up.scales", DType.F16, ones(160), 1, 160)
                .with("down.weight", DType.F32, floats(down), 64, 160);

        assertThatThrownBy(() -> load(checkpoint, of(GPTQ), having(0, 80), "up.weight")).isInstanceOf(CheckpointException.class)
                .hasMessageContainingAll("up.qweight", "symmetric", "zero point");
    }

    @Test
    void aScaleThatIsNoNumberIsRefused() {
        byte[] scales = ones(160);
        scales[7] = 0x7c;
        MemoryCheckpoint checkpoint = ofAwq().with("up.scales", DType.F16, scales, 1, 160);

        assertThatThrownBy(() -> load(checkpoint, of(AWQ), having(0, 80), "up.weight")).isInstanceOf(CheckpointException.class)
                .hasMessageContainingAll("up.qweight", "scale Infinity of row 3");
    }

    @Test
    void theSecondStartReadsNothingOfWhatIsConverted() throws IOException {
        var lines = new ArrayList<String>();
        Quantization quantization = Quantization.NONE.converting(graph(), DType.Q8_0);
        Optional<WeightCache> cache = Optional.of(new WeightCache(folder, "model", lines::add));
        MemoryCheckpoint checkpoint = ofFloats();
        byte[] first = bytes(load(checkpoint, quantization, having(0, 70), "down.weight", cache));
        checkpoint.touched = 0;

        assertThat(bytes(load(checkpoint, quantization, having(0, 70), "down.weight", cache))).isEqualTo(first);
        assertThat(checkpoint.touched).isEqualTo(2 * 64 * 4);
        assertThat(lines.getLast()).contains("mapped");
    }
}
