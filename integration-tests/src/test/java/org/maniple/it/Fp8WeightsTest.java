package org.maniple.it;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.GraphBuilder;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.TensorView;
import org.maniple.api.graph.Value;
import org.maniple.api.mesh.AxisRule;
import org.maniple.api.mesh.Mesh;
import org.maniple.api.mesh.MeshDimension;
import org.maniple.api.mesh.Splitter;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.UnitList;
import org.maniple.checkpoint.safetensors.SafetensorsFormat;
import org.maniple.kernel.load.Quantization;
import org.maniple.kernel.load.WeightLoader;
import org.maniple.kernel.program.MeshProgram;
import org.maniple.kernel.program.Piece;
import org.maniple.kernel.program.ProgramCompiler;
import org.maniple.kernel.program.RankProgram;

/**
 * FP8 weights of real files, split at random between two ranks, are what the published formula makes of them: the stored value × the factor
 * of its 128×128 block. In one of the models no side of a matrix is a multiple of 128.
 */
class Fp8WeightsTest {

    private static final MeshDimension TP = new MeshDimension("tp", 300);
    private static final String LAYER = "model.layers.0.";

    private final Random random = new Random(7);

    /** The units of each rank of two, each unit on one of them. */
    private List<UnitList> atRandom(Splitter.Request request) {
        var first = new ArrayList<Integer>();
        var second = new ArrayList<Integer>();
        for (int unit = 0; unit < request.units(); unit++) {
            (random.nextInt(8) < 3 ? first : second).add(unit);
        }
        return List.of(UnitList.of(first.stream().mapToInt(i -> i).toArray()),
                UnitList.of(second.stream().mapToInt(i -> i).toArray()));
    }

    /** Matrices of a block that are split by rows, by columns, by heads, and into parts of heads. */
    private static ModelGraph graph(ModelConfig config) {
        Dim hidden = Axes.HIDDEN.of(config.extent("hidden_size"));
        Dim heads = Axes.HEADS.of(config.extent("num_attention_heads"));
        Dim wide = Axes.FFN.of(config.extent("intermediate_size"));
        Dim latent = new Axis("lat").of(config.extent("kv_lora_rank"));
        Dim queryLatent = new Axis("ql").of(config.extent("q_lora_rank"));
        int nope = config.extent("qk_nope_head_dim");
        int rope = config.extent("qk_rope_head_dim");
        Dim value = new Axis("vd").of(config.extent("v_head_dim"));
        var builder = new GraphBuilder("matrices", 1);
        Value x = builder.embed("hidden.0",
                builder.parameter("model.embed_tokens.weight", Axes.VOCAB.of(config.extent("vocab_size")), hidden));
        builder.layer(0);
        Value q = builder.contract("q", x, builder.parameter(LAYER + "self_attn.q_a_proj.weight", queryLatent, hidden));
        Dim turned = new Axis("rd").of(rope);
        builder.contract("turned", q, builder.parameter("q_b turned",
                TensorView.stored(LAYER + "self_attn.q_b_proj.weight",
                        TensorView.dim(TensorView.whole(heads), TensorView.part(turned, nope + rope, nope)),
                        TensorView.dim(queryLatent)),
                heads, turned, queryLatent));
        Value c = builder.contract("c", x, builder.parameter("kv_a latent",
                TensorView.stored(LAYER + "self_attn.kv_a_proj_with_mqa.weight",
                        TensorView.dim(TensorView.part(latent, latent.extent() + rope, 0)), TensorView.dim(hidden)),
                latent, hidden));
        Value v = builder.contract("v", c, builder.parameter("kv_b values",
                TensorView.stored(LAYER + "self_attn.kv_b_proj.weight",
                        TensorView.dim(TensorView.whole(heads), TensorView.part(value, nope + value.extent(), nope)),
                        TensorView.dim(latent)),
                heads, value, latent));
        Value o = builder.contract("o", v, builder.parameter("o_proj",
                TensorView.stored(LAYER + "self_attn.o_proj.weight", TensorView.dim(hidden), TensorView.dim(heads, value)),
                hidden,
                heads, value));
        Value up = builder.contract("up", o, builder.parameter(LAYER + "mlp.up_proj.weight", wide, hidden));
        Value down = builder.contract("down", up, builder.parameter(LAYER + "mlp.down_proj.weight", hidden, wide));
        builder.layer(1);
        return builder.head(down, builder.parameter("lm_head.weight", Axes.VOCAB.of(config.extent("vocab_size")), hidden), 64);
    }

    @ParameterizedTest
    @ValueSource(strings = {"deepseek-v3-fp8-ragged", "deepseek-v3-fp8"})
    void anySliceHasTheValuesOfTheWholeMatrix(String name) {
        Path model = Oracles.model(name);
        ModelConfig config = VirtualUnit.config(model);
        var rules = List.of(new AxisRule(Axes.HEADS, List.of(TP), this::atRandom),
                new AxisRule(Axes.FFN, List.of(TP), this::atRandom));
        int checked = 0;
        for (int round = 0; round < 5; round++) {
            MeshProgram program = new ProgramCompiler(graph(config), new Mesh(List.of(TP), List.of(2)), rules).compile();
            for (int rank = 0; rank < 2; rank++) {
                checked += check(model, config, program.forRank(rank));
            }
        }
        assertThat(checked).isEqualTo(5 * 2 * 7);
    }

    /** How many FP8 weights were compared. */
    private static int check(Path model, ModelConfig config, RankProgram program) {
        int checked = 0;
        try (Arena arena = Arena.ofConfined(); Checkpoint checkpoint = new SafetensorsFormat().open(model)) {
            Map<Piece, Tensor> weights = new WeightLoader(checkpoint, Quantization.of(config), arena, arena::allocate).load(
                    program,
                    (done, total) -> {});
            for (var entry : weights.entrySet()) {
                if (entry.getValue().scales().isPresent()) {
                    assertThat(values(entry.getValue())).as("%s on rank %s", entry.getKey(), program.rank())
                            .isEqualTo(expected(checkpoint, program, entry.getKey(), arena));
                    checked++;
                }
            }
        }
        return checked;
    }

    private static List<Float> values(Tensor tensor) {
        List<Integer> ends = tensor.scales().orElseThrow().ends();
        MemorySegment factors = tensor.scales().orElseThrow().factors().segment();
        var values = new ArrayList<Float>();
        int length = ends.isEmpty() ? 1 : ends.getLast();
        for (long i = 0; i < (long) tensor.rows() * tensor.width(); i++) {
            int block = 0;
            while (ends.get(block) <= i % length) {
                block++;
            }
            values.add(e4m3(tensor.segment().get(JAVA_BYTE, i))
                    * factors.get(JAVA_FLOAT_UNALIGNED, 4 * (i / length * ends.size() + block)));
        }
        return values;
    }

    /** By the formula, one element after the other, of the units that the rank has. */
    private static List<Float> expected(Checkpoint checkpoint, RankProgram program, Piece piece, Arena arena) {
        var view = (TensorView.Stored) ((org.maniple.api.graph.Parameter) piece.operand()).source();
        String name = view.tensor();
        List<Long> shape = checkpoint.tensor(name).orElseThrow().shape();
        MemorySegment stored = checkpoint.map(name, 0, shape.get(0) * shape.get(1), arena);
        String scales = name + "_scale_inv";
        MemorySegment factors = checkpoint.map(scales, 0, checkpoint.tensor(scales).orElseThrow().bytes(), arena);
        long blocks = (shape.get(1) + 127) / 128;
        var values = new ArrayList<Float>();
        for (long row : indices(view.dims().get(0), program, piece)) {
            for (long column : indices(view.dims().get(1), program, piece)) {
                values.add(e4m3(stored.get(JAVA_BYTE, row * shape.get(1) + column))
                        * factors.get(JAVA_FLOAT_UNALIGNED, 4 * (row / 128 * blocks + column / 128)));
            }
        }
        return values;
    }

    /** The stored indices along a stored dimension that a rank has. */
    private static List<Long> indices(TensorView.StoredDim stored, RankProgram program, Piece piece) {
        List<Long> indices = List.of(0L);
        for (TensorView.Factor factor : stored.factors()) {
            Axis axis = factor.axis().orElseThrow();
            Dim dim = piece.operand().dims().stream().filter(d -> d.axis().equals(axis)).findFirst().orElseThrow();
            UnitList units = program.program().units(piece, dim, program.rank());
            var next = new ArrayList<Long>();
            for (long outer : indices) {
                for (int i = 0; i < units.size(); i++) {
                    next.add(outer * factor.extent() + factor.from() + units.get(i));
                }
            }
            indices = next;
        }
        return indices;
    }

    private static float e4m3(byte bits) {
        int exponent = bits >> 3 & 15;
        float size = exponent == 0 ? (bits & 7) / 512f : (8 + (bits & 7)) * (float) Math.pow(2, exponent - 10);
        return bits < 0 ? -size : size;
    }
}
