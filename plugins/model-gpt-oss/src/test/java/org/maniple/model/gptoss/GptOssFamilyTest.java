package org.maniple.model.gptoss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.BuiltinOp.Route;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.ElementFunction;
import org.maniple.api.graph.Node;
import org.maniple.api.graph.Op;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.TensorView;
import org.maniple.api.model.ModelArchitecture;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.model.ModelConfigException;
import org.maniple.testkit.ModelArchitectureContract;
import org.maniple.testkit.OracleModel;
import org.maniple.testkit.Oracles;

class GptOssFamilyTest extends ModelArchitectureContract {

    private static final Map<String, Object> SMALL = Map.ofEntries(Map.entry("architectures", List.of("GptOssForCausalLM")),
            Map.entry("hidden_size", 32), Map.entry("num_hidden_layers", 3), Map.entry("num_attention_heads", 4),
            Map.entry("num_key_value_heads", 2), Map.entry("vocab_size", 100), Map.entry("max_position_embeddings", 64),
            Map.entry("num_experts_per_tok", 2), Map.entry("head_dim", 16), Map.entry("intermediate_size", 64),
            Map.entry("num_local_experts", 4), Map.entry("sliding_window", 12));

    @Override
    protected ModelArchitecture architecture() {
        return new GptOssFamily();
    }

    @Override
    protected ModelConfig config() {
        return with(Map.of());
    }

    private static final Map<String, Object> MXFP4 = Map.of("quantization_config", Map.of("quant_method", "mxfp4"));

    @Test
    void windowsTakeTurnsAndLayerTypesOverrideThem() {
        assertThat(ops(config(), BuiltinOp.Attend.class)).extracting(BuiltinOp.Attend::window).containsExactly(12, 0, 12);
        assertThat(ops(with(Map.of("layer_types", List.of("full_attention", "full_attention", "sliding_attention"))),
                BuiltinOp.Attend.class)).extracting(BuiltinOp.Attend::window).containsExactly(0, 0, 12);
    }

    @Test
    void everyHeadHasASink() {
        assertThat(listing(config(), 1, "attended")).containsExactly(
                "ATTEND [q.turned.1, keys.1, values.1, model.layers.1.self_attn.sinks] -> [attended.1]");
        assertThat(parameter(config(), "model.layers.1.self_attn.sinks").dims()).containsExactly(Axes.HEADS.of(4));
    }

    @Test
    void aMixtureHasABiasEverywhere() {
        assertThat(listing(config(), 0, "router", "experts", "mlp")).containsExactly(
                "SUMSQ [middle.0] -> [mlp.in.0.squares]",
                "NORMALIZE [middle.0, mlp.in.0.squares, model.layers.0.post_attention_layernorm.weight] -> [mlp.in.0]",
                "CONTRACT [mlp.in.0, model.layers.0.mlp.router.weight] -> [router.0.unbiased]",
                "MAP [router.0.unbiased, model.layers.0.mlp.router.bias] -> [router.0]",
                "ROUTE [router.0] -> [experts.0, experts.0.weights]",
                "CONTRACT [pairs.0, model.layers.0.mlp.experts.gate_up_proj:gate] -> [experts.gate.0.unbiased]",
                "MAP [experts.gate.0.unbiased, model.layers.0.mlp.experts.gate_up_proj_bias:gate] -> [experts.gate.0]",
                "CONTRACT [pairs.0, model.layers.0.mlp.experts.gate_up_proj:up] -> [experts.up.0.unbiased]",
                "MAP [experts.up.0.unbiased, model.layers.0.mlp.experts.gate_up_proj_bias:up] -> [experts.up.0]",
                "MAP [experts.gate.0, experts.up.0] -> [experts.gated.0]",
                "CONTRACT [experts.gated.0, model.layers.0.mlp.experts.down_proj] -> [experts.down.0.unbiased]",
                "MAP [experts.down.0.unbiased, model.layers.0.mlp.experts.down_proj_bias] -> [experts.down.0]",
                "COMBINE [experts.down.0, experts.0, experts.0.weights] -> [mlp.0]");
    }

    @Test
    void gateAndUpAreClampedAndTheLogitsChoose() {
        assertThat(ops(config(), BuiltinOp.Elementwise.class))
                .contains(new BuiltinOp.Elementwise(new ElementFunction.ClampedGlu(1.702f, 7)));
        assertThat(ops(with(Map.of("swiglu_limit", 5.0)), BuiltinOp.Elementwise.class))
                .contains(new BuiltinOp.Elementwise(new ElementFunction.ClampedGlu(1.702f, 5)));
        assertThat(ops(config(), Route.class)).allMatch(route -> route.score() == Route.Score.SOFTMAX_OF_CHOSEN);
    }

    @Test
    void gateAndUpAreTheEvenAndOddColumnsOfOneTensor() {
        Parameter up = parameter(config(), "model.layers.0.mlp.experts.gate_up_proj:up");

        assertThat(up.dims()).extracting(Dim::axis).containsExactly(Axes.EXPERTS, Axes.EXPERT_FFN, Axes.HIDDEN);
        assertThat(up.source().tensors())
                .isEqualTo(Map.of("model.layers.0.mlp.experts.gate_up_proj", List.of(4L, 32L, 128L)));
        List<TensorView.Factor> columns = up.source().dims().getLast().factors();
        assertThat(columns).extracting(TensorView.Factor::axis).containsExactly(Optional.of(Axes.EXPERT_FFN),
                Optional.<Axis>empty());
        assertThat(columns.getLast().from()).isEqualTo(1);
    }

    @Test
    void inMxfp4BlocksRunAlongTheSummedDimension() {
        Parameter gate = parameter(with(MXFP4), "model.layers.0.mlp.experts.gate_up_proj:gate");

        assertThat(gate.dims()).isEqualTo(parameter(config(), gate.name()).dims());
        assertThat(gate.source().tensors()).isEqualTo(Map.of("model.layers.0.mlp.experts.gate_up_proj_blocks",
                List.of(4L, 128L, 1L, 16L), "model.layers.0.mlp.experts.gate_up_proj_scales", List.of(4L, 128L, 1L)));
        assertThat(parameter(with(MXFP4), "model.layers.0.mlp.experts.down_proj").source().tensors())
                .containsEntry("model.layers.0.mlp.experts.down_proj_blocks", List.of(4L, 32L, 2L, 16L));
    }

    @Test
    void aBadKeyIsNamedWithWhatWorks() {
        assertRefused(Map.of("quantization_config", Map.of("quant_method", "awq")), "quantization_config", "awq", "mxfp4");
        assertRefused(Map.of("quantization_config", Map.of("quant_method", "fp8", "weight_block_size", List.of(128, 128))),
                "quantization_config", "fp8", "mxfp4");
        assertRefused(Map.of("quantization_config", Map.of("quant_method", "mxfp4"), "intermediate_size", 48),
                "intermediate_size", "[48]", "multiple of 32");
        assertRefused(Map.of("sliding_window", 0), "sliding_window", "0");
        assertRefused(Map.of("swiglu_limit", 0), "swiglu_limit", "positive");
    }

    @Test
    void usesEveryTensorOfAPublishedCheckpointAsItIsStored() {
        OracleModel model = Oracles.model("models/gpt-oss-bf16");

        assertThat(new GptOssFamily().accepts(model.config())).isTrue();
        assertUsesAllOf(new GptOssFamily().graph(model.config()), model.storedShapes());
    }

    @Test
    void usesEveryTensorOfACheckpointInMxfp4AsItIsStored() {
        OracleModel model = Oracles.reference("gpt-oss-mxfp4");

        assertUsesAllOf(new GptOssFamily().graph(model.config()), model.storedShapes());
    }

    private static void assertRefused(Map<String, Object> changes, String... words) {
        assertThatThrownBy(() -> new GptOssFamily().graph(with(changes))).isInstanceOf(ModelConfigException.class)
                .hasMessageContainingAll(words);
    }

    private static List<String> listing(ModelConfig config, int layer, String... words) {
        return new GptOssFamily().graph(config).nodes().stream()
                .filter(node -> node.layer() == layer && !node.outputs().isEmpty())
                .filter(node -> List.of(words).contains(node.outputs().getFirst().name().replaceAll("\\..*", "")))
                .map(Node::toString).toList();
    }

    private static <O extends Op> List<O> ops(ModelConfig config, Class<O> type) {
        return new GptOssFamily().graph(config).nodes().stream().map(Node::op).filter(type::isInstance).map(type::cast).toList();
    }

    private static Parameter parameter(ModelConfig config, String name) {
        return new GptOssFamily().graph(config).parameters().stream().filter(p -> p.name().equals(name)).findFirst()
                .orElseThrow();
    }

    private static ModelConfig with(Map<String, Object> changes) {
        var values = new HashMap<>(SMALL);
        values.putAll(changes);
        return new ModelConfig("config.json", values);
    }
}
