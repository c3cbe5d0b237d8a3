package org.maniple.model.qwen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.BuiltinOp.Route;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Node;
import org.maniple.api.graph.Parameter;
import org.maniple.api.model.ModelArchitecture;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.model.ModelConfigException;
import org.maniple.testkit.ModelArchitectureContract;
import org.maniple.testkit.OracleModel;
import org.maniple.testkit.Oracles;

class QwenFamilyTest extends ModelArchitectureContract {

    private static final String QWEN2_MOE = "Qwen2MoeForCausalLM";
    private static final String QWEN3_MOE = "Qwen3MoeForCausalLM";

    private static final Map<String, Object> SMALL = Map.of("hidden_size", 32, "num_hidden_layers", 4, "num_attention_heads", 4,
            "num_key_value_heads", 2, "intermediate_size", 48, "vocab_size", 100, "max_position_embeddings", 64);

    @Override
    protected ModelArchitecture architecture() {
        return new QwenFamily();
    }

    @Override
    protected ModelConfig config() {
        return qwen3(Map.of());
    }

    @Test
    void qwen3NormsEachHeadBeforeItIsTurned() {
        assertThat(listing(qwen3(Map.of()), "q", "k", "v")).containsExactly(
                "CONTRACT [attn.in.0, model.layers.0.self_attn.q_proj.weight] -> [q.0]",
                "SUMSQ [q.0] -> [q.normed.0.squares]",
                "NORMALIZE [q.0, q.normed.0.squares, model.layers.0.self_attn.q_norm.weight] -> [q.normed.0]",
                "ROPE [q.normed.0] -> [q.turned.0]",
                "CONTRACT [attn.in.0, model.layers.0.self_attn.k_proj.weight] -> [k.0]",
                "SUMSQ [k.0] -> [k.normed.0.squares]",
                "NORMALIZE [k.0, k.normed.0.squares, model.layers.0.self_attn.k_norm.weight] -> [k.normed.0]",
                "ROPE [k.normed.0] -> [k.turned.0]",
                "CONTRACT [attn.in.0, model.layers.0.self_attn.v_proj.weight] -> [v.0]");
    }

    @Test
    void qwen2AddsABiasToQueriesKeysAndValuesAlone() {
        assertThat(listing(qwen2(Map.of()), "q")).containsExactly(
                "CONTRACT [attn.in.0, model.layers.0.self_attn.q_proj.weight] -> [q.0.unbiased]",
                "MAP [q.0.unbiased, model.layers.0.self_attn.q_proj.bias] -> [q.0]",
                "ROPE [q.0] -> [q.turned.0]");
        assertThat(biases(qwen2(Map.of()))).containsExactlyInAnyOrder("q_proj", "k_proj", "v_proj");
    }

    @Test
    void qwen3HasABiasOnAllFourProjectionsOnlyWhereTheConfigurationSaysSo() {
        assertThat(biases(qwen3(Map.of()))).isEmpty();
        assertThat(biases(qwen3(Map.of("attention_bias", true)))).containsExactlyInAnyOrder("q_proj", "k_proj", "v_proj",
                "o_proj");
    }

    @Test
    void aWindowThatIsSwitchedOffIsIgnored() {
        assertThat(windows(qwen2(Map.of("sliding_window", 16, "max_window_layers", 2)))).containsExactly(0, 0, 0, 0);
        assertThat(windows(qwen2(Map.of("sliding_window", 16, "use_sliding_window", false,
                "layer_types", List.of("sliding_attention", "full_attention", "sliding_attention", "full_attention")))))
                .containsExactly(0, 0, 0, 0);
    }

    @Test
    void aWindowAppliesFromMaxWindowLayersOn() {
        assertThat(windows(qwen2(Map.of("sliding_window", 16, "use_sliding_window", true, "max_window_layers", 3))))
                .containsExactly(0, 0, 0, 16);
    }

    @Test
    void layerTypesDecideWhichLayersHaveTheWindow() {
        assertThat(windows(qwen3(Map.of("sliding_window", 16, "use_sliding_window", true, "max_window_layers", 4,
                "layer_types", List.of("sliding_attention", "full_attention", "sliding_attention", "full_attention")))))
                .containsExactly(16, 0, 16, 0);
    }

    @Test
    void layerTypesOfAnotherLengthOrWordAreRefused() {
        assertRefused(Map.of("layer_types", List.of("full_attention")), "layer_types", "each of the 4 layers, not 1");
        assertRefused(Map.of("layer_types", List.of("linear", "full_attention", "full_attention", "full_attention")),
                "layer_types", "not linear");
    }

    @Test
    void aBadKeyIsNamedWithWhatWorks() {
        assertRefused(Map.of("num_key_value_heads", 3), "num_key_value_heads", "[3]", "divisor");
        assertRefused(Map.of("quantization_config", Map.of("quant_method", "bitsandbytes")), "quantization_config",
                "bitsandbytes");
        assertRefused(Map.of("hidden_act", "mish"), "hidden_act", "mish", "silu");
        assertRefused(Map.of("use_sliding_window", true, "sliding_window", 0), "sliding_window", "0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"models/qwen2", "models/qwen3-tied", "models/qwen3-moe", "models/qwen3-moe-sparse"})
    void usesEveryTensorOfAPublishedCheckpointAsItIsStored(String name) {
        OracleModel model = Oracles.model(name);

        assertThat(new QwenFamily().accepts(model.config())).isTrue();
        assertUsesAllOf(new QwenFamily().graph(model.config()), model.storedShapes());
    }

    @Test
    void qwen3MoeChoosesBySoftmaxAndSumsTheChosenExperts() {
        assertThat(listing(moe(QWEN3_MOE, Map.of()), "router", "experts", "pairs", "routed", "shared", "mlp")).endsWith(
                "NORMALIZE [middle.0, mlp.in.0.squares, model.layers.0.post_attention_layernorm.weight] -> [mlp.in.0]",
                "CONTRACT [mlp.in.0, model.layers.0.mlp.gate.weight] -> [router.0]",
                "ROUTE [router.0] -> [experts.0, experts.0.weights]",
                "DISPATCH [mlp.in.0, experts.0, experts.0.weights] -> [pairs.0]",
                "CONTRACT [pairs.0, model.layers.0.mlp.experts.{}.gate_proj.weight] -> [experts.gate.0]",
                "CONTRACT [pairs.0, model.layers.0.mlp.experts.{}.up_proj.weight] -> [experts.up.0]",
                "MAP [experts.gate.0, experts.up.0] -> [experts.gated.0]",
                "CONTRACT [experts.gated.0, model.layers.0.mlp.experts.{}.down_proj.weight] -> [experts.down.0]",
                "COMBINE [experts.down.0, experts.0, experts.0.weights] -> [mlp.0]");
        assertThat(routes(moe(QWEN3_MOE, Map.of("norm_topk_prob", true)))).hasSize(4)
                .containsOnly(new Route(Route.Score.SOFTMAX, 1, 1, Route.GroupScore.MAX, true, 1));
        assertThat(routes(moe(QWEN3_MOE, Map.of()))).noneMatch(Route::normalise);
    }

    @Test
    void qwen2MoeGatesItsSharedExpertBeforeTheLastProjection() {
        assertThat(listing(moe(QWEN2_MOE, Map.of()), "shared", "mlp")).endsWith(
                "CONTRACT [mlp.in.0, model.layers.0.mlp.shared_expert.gate_proj.weight] -> [shared.gate.0]",
                "CONTRACT [mlp.in.0, model.layers.0.mlp.shared_expert.up_proj.weight] -> [shared.up.0]",
                "MAP [shared.gate.0, shared.up.0] -> [shared.gated.0]",
                "CONTRACT [mlp.in.0, model.layers.0.mlp.shared_expert_gate.weight] -> [shared.share.0]",
                "MAP [shared.gated.0, shared.share.0] -> [shared.weighed.0]",
                "CONTRACT [shared.weighed.0, model.layers.0.mlp.shared_expert.down_proj.weight] -> [shared.0]",
                "MAP [routed.0, shared.0] -> [mlp.0]");
        assertThat(biases(moe(QWEN2_MOE, Map.of()))).containsExactlyInAnyOrder("q_proj", "k_proj", "v_proj");
    }

    @Test
    void layersWithoutExpertsAreDense() {
        assertThat(sparseLayers(Map.of())).containsExactly(0, 1, 2, 3);
        assertThat(sparseLayers(Map.of("decoder_sparse_step", 2))).containsExactly(1, 3);
        assertThat(sparseLayers(Map.of("mlp_only_layers", List.of(0, 3)))).containsExactly(1, 2);
        assertThat(listing(moe(QWEN3_MOE, Map.of("decoder_sparse_step", 2)), "mlp"))
                .contains("CONTRACT [gated.0, model.layers.0.mlp.down_proj.weight] -> [mlp.0]");
    }

    @Test
    void allLayersOfQwen3MoeHaveTheWindowAndThoseOfQwen2MoeMustBeNamed() {
        var window = Map.<String, Object>of("use_sliding_window", true, "sliding_window", 16, "max_window_layers", 2);

        assertThat(windows(moe(QWEN3_MOE, window))).containsExactly(16, 16, 16, 16);
        assertThatThrownBy(() -> new QwenFamily().graph(moe(QWEN2_MOE, window))).isInstanceOf(ModelConfigException.class)
                .hasMessageContainingAll("use_sliding_window", "layer_types");
    }

    @Test
    void moreChoicesThanExpertsAreRefused() {
        assertThatThrownBy(() -> new QwenFamily().graph(moe(QWEN3_MOE, Map.of("num_experts_per_tok", 9))))
                .isInstanceOf(ModelConfigException.class).hasMessageContainingAll("num_experts_per_tok", "9", "num_experts [8]");
    }

    @Test
    void qwen3MoeHasItsPublishedNumberOfParameters() {
        ModelGraph graph = new QwenFamily().graph(moe(QWEN3_MOE, Map.ofEntries(Map.entry("vocab_size", 151_936),
                Map.entry("hidden_size", 4096), Map.entry("intermediate_size", 12_288), Map.entry("moe_intermediate_size", 1536),
                Map.entry("num_hidden_layers", 94), Map.entry("num_attention_heads", 64), Map.entry("num_key_value_heads", 4),
                Map.entry("head_dim", 128), Map.entry("num_experts", 128), Map.entry("num_experts_per_tok", 8),
                Map.entry("norm_topk_prob", true), Map.entry("rope_theta", 1e6), Map.entry("max_position_embeddings", 40_960))));

        assertThat(graph.parameters().stream()
                .mapToLong(p -> p.dims().stream().mapToLong(Dim::extent).reduce(1, Math::multiplyExact)).sum())
                .isEqualTo(235_093_634_560L);
    }

    private static void assertRefused(Map<String, Object> changes, String... words) {
        assertThatThrownBy(() -> new QwenFamily().graph(qwen3(changes))).isInstanceOf(ModelConfigException.class)
                .hasMessageContainingAll(words);
    }

    private static List<String> listing(ModelConfig config, String... words) {
        List<String> wanted = List.of(words);
        return new QwenFamily().graph(config).nodes().stream().filter(node -> node.layer() == 0 && !node.outputs().isEmpty())
                .filter(node -> wanted.contains(node.outputs().getFirst().name().replaceAll("\\..*", ""))).map(Node::toString)
                .toList();
    }

    private static List<String> biases(ModelConfig config) {
        return new QwenFamily().graph(config).parameters().stream().map(Parameter::name)
                .filter(name -> name.startsWith("model.layers.0.") && name.endsWith(".bias"))
                .map(name -> name.replaceAll(".*\\.(\\w+)\\.bias", "$1")).toList();
    }

    private static List<Integer> windows(ModelConfig config) {
        return new QwenFamily().graph(config).nodes().stream().map(Node::op).filter(BuiltinOp.Attend.class::isInstance)
                .map(op -> ((BuiltinOp.Attend) op).window()).toList();
    }

    private static List<Route> routes(ModelConfig config) {
        return new QwenFamily().graph(config).nodes().stream().map(Node::op).filter(Route.class::isInstance)
                .map(Route.class::cast).toList();
    }

    private static List<Integer> sparseLayers(Map<String, Object> changes) {
        return new QwenFamily().graph(moe(QWEN3_MOE, changes)).nodes().stream().filter(node -> node.op() instanceof Route)
                .map(Node::layer).toList();
    }

    private static ModelConfig moe(String architecture, Map<String, Object> changes) {
        var values = new HashMap<String, Object>(Map.of("num_experts", 8, "num_experts_per_tok", 2, "moe_intermediate_size", 20,
                "shared_expert_intermediate_size", 24));
        values.putAll(changes);
        return with(architecture, values);
    }

    private static ModelConfig qwen2(Map<String, Object> changes) {
        return with("Qwen2ForCausalLM", changes);
    }

    private static ModelConfig qwen3(Map<String, Object> changes) {
        return with("Qwen3ForCausalLM", changes);
    }

    private static ModelConfig with(String architecture, Map<String, Object> changes) {
        var values = new HashMap<>(SMALL);
        values.put("architectures", List.of(architecture));
        values.putAll(changes);
        return new ModelConfig("config.json", values);
    }
}
