package org.maniple.model.olmoe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Axis;
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

class OlmoeFamilyTest extends ModelArchitectureContract {

    private static final Map<String, Object> SMALL = Map.ofEntries(Map.entry("architectures", List.of("OlmoeForCausalLM")),
            Map.entry("hidden_size", 32), Map.entry("num_hidden_layers", 2), Map.entry("num_attention_heads", 4),
            Map.entry("num_key_value_heads", 4), Map.entry("vocab_size", 100), Map.entry("max_position_embeddings", 64),
            Map.entry("num_experts_per_tok", 2), Map.entry("num_experts", 4), Map.entry("intermediate_size", 48));

    @Override
    protected ModelArchitecture architecture() {
        return new OlmoeFamily();
    }

    @Override
    protected ModelConfig config() {
        return with(Map.of());
    }

    @Test
    void queriesAndKeysPassANormOverAllHeadsTogether() {
        List<BuiltinOp.SumSquares> sums = ops(config(), BuiltinOp.SumSquares.class);

        assertThat(sums.get(1).normed()).extracting(Axis::name).containsExactly("HEADS", "hd");
        assertThat(sums.get(2).normed()).extracting(Axis::name).containsExactly("KV_HEADS", "hd");
        Parameter weight = new OlmoeFamily().graph(config()).parameters().stream()
                .filter(p -> p.name().equals("model.layers.0.self_attn.q_norm.weight")).findFirst().orElseThrow();
        assertThat(weight.extent(Axes.HEADS)).isEqualTo(4);
        assertThat(weight.source().tensors()).containsEntry("model.layers.0.self_attn.q_norm.weight", List.of(32L));
    }

    @Test
    void queriesKeysAndValuesAreClippedBetweenNormAndTurn() {
        assertThat(listing(with(Map.of("clip_qkv", 8.0)), 0, "q", "v")).containsExactly(
                "CONTRACT [attn.in.0, model.layers.0.self_attn.q_proj.weight] -> [q.0]",
                "SUMSQ [q.0] -> [q.normed.0.squares]",
                "NORMALIZE [q.0, q.normed.0.squares, model.layers.0.self_attn.q_norm.weight] -> [q.normed.0]",
                "MAP [q.normed.0] -> [q.clipped.0]",
                "ROPE [q.clipped.0] -> [q.turned.0]",
                "CONTRACT [attn.in.0, model.layers.0.self_attn.v_proj.weight] -> [v.0]",
                "MAP [v.0] -> [v.clipped.0]");
        assertThat(listing(config(), 0, "v")).hasSize(1);
    }

    @Test
    void weightsAreNormalisedOnlyWhereTheConfigurationSaysSo() {
        assertThat(ops(config(), Route.class)).allMatch(route -> route.score() == Route.Score.SOFTMAX && !route.normalise());
        assertThat(ops(with(Map.of("norm_topk_prob", true)), Route.class)).allMatch(Route::normalise);
    }

    @Test
    void aBadKeyIsNamedWithWhatWorks() {
        assertRefused(Map.of("clip_qkv", -1), "clip_qkv", "-1", "null or a positive number");
        assertRefused(Map.of("num_experts_per_tok", 5), "num_experts_per_tok", "[5]", "at most num_experts [4]");
    }

    @Test
    void usesEveryTensorOfAPublishedCheckpointAsItIsStored() {
        OracleModel model = Oracles.model("models/olmoe");

        assertThat(new OlmoeFamily().accepts(model.config())).isTrue();
        assertUsesAllOf(new OlmoeFamily().graph(model.config()), model.storedShapes());
    }

    private static void assertRefused(Map<String, Object> changes, String... words) {
        assertThatThrownBy(() -> new OlmoeFamily().graph(with(changes))).isInstanceOf(ModelConfigException.class)
                .hasMessageContainingAll(words);
    }

    private static List<String> listing(ModelConfig config, int layer, String... words) {
        return new OlmoeFamily().graph(config).nodes().stream().filter(node -> node.layer() == layer && !node.outputs().isEmpty())
                .filter(node -> List.of(words).contains(node.outputs().getFirst().name().replaceAll("\\..*", "")))
                .map(Node::toString).toList();
    }

    private static <O extends Op> List<O> ops(ModelConfig config, Class<O> type) {
        return new OlmoeFamily().graph(config).nodes().stream().map(Node::op).filter(type::isInstance).map(type::cast).toList();
    }

    private static ModelConfig with(Map<String, Object> changes) {
        var values = new HashMap<>(SMALL);
        values.putAll(changes);
        return new ModelConfig("config.json", values);
    }
}
