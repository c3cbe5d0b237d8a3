package org.maniple.model.mixtral;

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
import org.maniple.api.model.ModelArchitecture;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.model.ModelConfigException;
import org.maniple.testkit.ModelArchitectureContract;
import org.maniple.testkit.OracleModel;
import org.maniple.testkit.Oracles;

class MixtralFamilyTest extends ModelArchitectureContract {

    private static final Map<String, Object> SMALL = Map.ofEntries(Map.entry("architectures", List.of("MixtralForCausalLM")),
            Map.entry("hidden_size", 32), Map.entry("num_hidden_layers", 2), Map.entry("num_attention_heads", 4),
            Map.entry("num_key_value_heads", 2), Map.entry("vocab_size", 100), Map.entry("max_position_embeddings", 64),
            Map.entry("num_experts_per_tok", 2), Map.entry("num_local_experts", 4), Map.entry("intermediate_size", 48));

    @Override
    protected ModelArchitecture architecture() {
        return new MixtralFamily();
    }

    @Override
    protected ModelConfig config() {
        return with(Map.of());
    }

    @Test
    void everyFeedForwardNetworkIsAMixture() {
        assertThat(listing(config(), 1, "router", "experts", "pairs", "mlp")).containsExactly(
                "SUMSQ [middle.1] -> [mlp.in.1.squares]",
                "NORMALIZE [middle.1, mlp.in.1.squares, model.layers.1.post_attention_layernorm.weight] -> [mlp.in.1]",
                "CONTRACT [mlp.in.1, model.layers.1.block_sparse_moe.gate.weight] -> [router.1]",
                "ROUTE [router.1] -> [experts.1, experts.1.weights]",
                "DISPATCH [mlp.in.1, experts.1, experts.1.weights] -> [pairs.1]",
                "CONTRACT [pairs.1, model.layers.1.block_sparse_moe.experts.{}.w1.weight] -> [experts.gate.1]",
                "CONTRACT [pairs.1, model.layers.1.block_sparse_moe.experts.{}.w3.weight] -> [experts.up.1]",
                "MAP [experts.gate.1, experts.up.1] -> [experts.gated.1]",
                "CONTRACT [experts.gated.1, model.layers.1.block_sparse_moe.experts.{}.w2.weight] -> [experts.down.1]",
                "COMBINE [experts.down.1, experts.1, experts.1.weights] -> [mlp.1]");
    }

    @Test
    void weightsAreASoftmaxOverTheChosenExperts() {
        assertThat(ops(config(), Route.class)).hasSize(2)
                .allMatch(route -> route.score() == Route.Score.SOFTMAX_OF_CHOSEN && route.groups() == 1 && route.scale() == 1);
    }

    @Test
    void aWindowAppliesToAllLayersAndNullIsNone() {
        assertThat(ops(config(), BuiltinOp.Attend.class)).extracting(BuiltinOp.Attend::window).containsExactly(0, 0);
        assertThat(ops(with(Map.of("sliding_window", 16)), BuiltinOp.Attend.class)).extracting(BuiltinOp.Attend::window)
                .containsExactly(16, 16);
    }

    @Test
    void aBadKeyIsNamedWithWhatWorks() {
        assertRefused(Map.of("num_experts_per_tok", 5), "num_experts_per_tok", "[5]", "at most num_local_experts [4]");
        assertRefused(Map.of("num_local_experts", 0), "num_local_experts", "0");
        assertRefused(Map.of("hidden_act", "mish"), "hidden_act", "mish", "silu");
        assertRefused(Map.of("sliding_window", 0), "sliding_window", "0");
    }

    @Test
    void usesEveryTensorOfAPublishedCheckpointAsItIsStored() {
        OracleModel model = Oracles.model("models/mixtral");

        assertThat(new MixtralFamily().accepts(model.config())).isTrue();
        assertUsesAllOf(new MixtralFamily().graph(model.config()), model.storedShapes());
    }

    private static void assertRefused(Map<String, Object> changes, String... words) {
        assertThatThrownBy(() -> new MixtralFamily().graph(with(changes))).isInstanceOf(ModelConfigException.class)
                .hasMessageContainingAll(words);
    }

    private static List<String> listing(ModelConfig config, int layer, String... words) {
        return new MixtralFamily().graph(config).nodes().stream()
                .filter(node -> node.layer() == layer && !node.outputs().isEmpty())
                .filter(node -> List.of(words).contains(node.outputs().getFirst().name().replaceAll("\\..*", "")))
                .map(Node::toString).toList();
    }

    private static <O extends Op> List<O> ops(ModelConfig config, Class<O> type) {
        return new MixtralFamily().graph(config).nodes().stream().map(Node::op).filter(type::isInstance).map(type::cast).toList();
    }

    private static ModelConfig with(Map<String, Object> changes) {
        var values = new HashMap<>(SMALL);
        values.putAll(changes);
        return new ModelConfig("config.json", values);
    }
}
