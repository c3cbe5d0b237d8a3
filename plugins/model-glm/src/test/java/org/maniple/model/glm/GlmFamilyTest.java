package org.maniple.model.glm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.BuiltinOp.Route;
import org.maniple.api.graph.Node;
import org.maniple.api.graph.Op;
import org.maniple.api.graph.Parameter;
import org.maniple.api.model.ModelArchitecture;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.model.ModelConfigException;
import org.maniple.testkit.ModelArchitectureContract;
import org.maniple.testkit.OracleModel;
import org.maniple.testkit.Oracles;

class GlmFamilyTest extends ModelArchitectureContract {

    private static final Map<String, Object> SMALL = Map.ofEntries(Map.entry("architectures", List.of("Glm4MoeForCausalLM")),
            Map.entry("hidden_size", 32), Map.entry("num_hidden_layers", 3), Map.entry("num_attention_heads", 4),
            Map.entry("num_key_value_heads", 2), Map.entry("vocab_size", 100), Map.entry("max_position_embeddings", 64),
            Map.entry("num_experts_per_tok", 2), Map.entry("head_dim", 16), Map.entry("intermediate_size", 48),
            Map.entry("moe_intermediate_size", 20), Map.entry("n_routed_experts", 8), Map.entry("n_shared_experts", 2),
            Map.entry("first_k_dense_replace", 1), Map.entry("routed_scaling_factor", 1.5), Map.entry("attention_bias", true));

    @Override
    protected ModelArchitecture architecture() {
        return new GlmFamily();
    }

    @Override
    protected ModelConfig config() {
        return with(Map.of());
    }

    @Test
    void halfOfEachHeadIsTurnedInHalves() {
        assertThat(ops(config(), BuiltinOp.Rope.class)).allMatch(rope -> rope.frequencies().size() == 4 && !rope.interleaved());
        assertThat(ops(with(Map.of("partial_rotary_factor", 0.25)), BuiltinOp.Rope.class))
                .allMatch(rope -> rope.frequencies().size() == 2);
    }

    @Test
    void onlyTheFirstLayersAreDense() {
        List<String> names = parameters(config());

        assertThat(names).contains("model.layers.0.mlp.gate_proj.weight", "model.layers.1.mlp.gate.weight",
                "model.layers.2.mlp.shared_experts.up_proj.weight");
        assertThat(names).doesNotContain("model.layers.0.mlp.gate.weight", "model.layers.1.mlp.gate_proj.weight");
    }

    @Test
    void routedAndSharedExpertsAreAddedUp() {
        assertThat(listing(config(), 1, "experts", "routed", "shared", "mlp")).contains(
                "ROUTE [router.1, model.layers.1.mlp.gate.e_score_correction_bias] -> [experts.1, experts.1.weights]",
                "COMBINE [experts.down.1, experts.1, experts.1.weights] -> [routed.1]",
                "CONTRACT [shared.gated.1, model.layers.1.mlp.shared_experts.down_proj.weight] -> [shared.1]",
                "MAP [routed.1, shared.1] -> [mlp.1]");
    }

    @Test
    void choosesAsDeepseekV3Does() {
        assertThat(ops(config(), Route.class)).hasSize(2).allMatch(route -> route.equals(
                new Route(Route.Score.SIGMOID, 1, 1, Route.GroupScore.TOP_TWO, true, 1.5)));
    }

    @Test
    void attentionHasABiasBeforeItAndNoneBehindAndNormsWhereTheConfigurationSaysSo() {
        assertThat(parameters(config())).contains("model.layers.0.self_attn.q_proj.bias", "model.layers.0.self_attn.v_proj.bias")
                .doesNotContain("model.layers.0.self_attn.o_proj.bias", "model.layers.0.self_attn.q_norm.weight");
        assertThat(parameters(with(Map.of("use_qk_norm", true)))).contains("model.layers.0.self_attn.q_norm.weight");
    }

    @Test
    void layersThatPredictFurtherTokensAreNotPartOfTheGraph() {
        assertThat(new GlmFamily().graph(with(Map.of("num_nextn_predict_layers", 1)))).isEqualTo(new GlmFamily().graph(config()));
    }

    @Test
    void aBadKeyIsNamedWithWhatWorks() {
        assertRefused(Map.of("n_group", 3), "n_group", "[3]", "divisor");
        assertRefused(Map.of("first_k_dense_replace", -1), "first_k_dense_replace", "-1");
        assertRefused(Map.of("routed_scaling_factor", 0), "routed_scaling_factor", "positive");
        assertRefused(Map.of("n_shared_experts", -1), "n_shared_experts", "-1");
        assertRefused(Map.of("partial_rotary_factor", 0.01), "partial_rotary_factor", "0.01");
    }

    @Test
    void usesEveryTensorOfAPublishedCheckpointAsItIsStored() {
        OracleModel model = Oracles.model("models/glm4-moe");

        assertThat(new GlmFamily().accepts(model.config())).isTrue();
        assertUsesAllOf(new GlmFamily().graph(model.config()), model.storedShapes());
    }

    private static void assertRefused(Map<String, Object> changes, String... words) {
        assertThatThrownBy(() -> new GlmFamily().graph(with(changes))).isInstanceOf(ModelConfigException.class)
                .hasMessageContainingAll(words);
    }

    private static List<String> listing(ModelConfig config, int layer, String... words) {
        return new GlmFamily().graph(config).nodes().stream().filter(node -> node.layer() == layer && !node.outputs().isEmpty())
                .filter(node -> List.of(words).contains(node.outputs().getFirst().name().replaceAll("\\..*", "")))
                .map(Node::toString).toList();
    }

    private static <O extends Op> List<O> ops(ModelConfig config, Class<O> type) {
        return new GlmFamily().graph(config).nodes().stream().map(Node::op).filter(type::isInstance).map(type::cast).toList();
    }

    private static List<String> parameters(ModelConfig config) {
        return new GlmFamily().graph(config).parameters().stream().map(Parameter::name).toList();
    }

    private static ModelConfig with(Map<String, Object> changes) {
        var values = new HashMap<>(SMALL);
        values.putAll(changes);
        return new ModelConfig("config.json", values);
    }
}
