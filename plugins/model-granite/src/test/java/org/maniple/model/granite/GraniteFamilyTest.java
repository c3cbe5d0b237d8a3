package org.maniple.model.granite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.graph.Axes;
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

class GraniteFamilyTest extends ModelArchitectureContract {

    private static final Map<String, Object> SMALL = Map.ofEntries(Map.entry("architectures", List.of("GraniteMoeForCausalLM")),
            Map.entry("hidden_size", 32), Map.entry("num_hidden_layers", 2), Map.entry("num_attention_heads", 4),
            Map.entry("num_key_value_heads", 2), Map.entry("vocab_size", 100), Map.entry("max_position_embeddings", 64),
            Map.entry("num_experts_per_tok", 2), Map.entry("intermediate_size", 48), Map.entry("num_local_experts", 4),
            Map.entry("attention_multiplier", 0.5), Map.entry("embedding_multiplier", 12), Map.entry("residual_multiplier", 0.25),
            Map.entry("logits_scaling", 8));

    @Override
    protected ModelArchitecture architecture() {
        return new GraniteFamily();
    }

    @Override
    protected ModelConfig config() {
        return with(Map.of());
    }

    private static final Map<String, Object> DENSE = Map.of("architectures", List.of("GraniteForCausalLM"));

    @Test
    void embeddingsAreScaledBeforeTheFirstBlock() {
        Node scale = new GraniteFamily().graph(config()).nodes().get(1);

        assertThat(scale).hasToString("MAP [embedded] -> [hidden.0]");
        assertThat(scale.op()).isEqualTo(new BuiltinOp.Elementwise(new ElementFunction.Scale(12)));
    }

    @Test
    void whatAHalfAddsToTheResidualStreamIsScaled() {
        assertThat(listing(config(), 1, "attn", "middle", "mlp", "hidden")).contains(
                "MAP [attn.unscaled.1] -> [attn.1]",
                "MAP [hidden.1, attn.1] -> [middle.1]",
                "COMBINE [experts.down.1, experts.1, experts.1.weights] -> [mlp.unscaled.1]",
                "MAP [mlp.unscaled.1] -> [mlp.1]",
                "MAP [middle.1, mlp.1] -> [hidden.2]");
        assertThat(listing(with(DENSE), 1, "mlp")).contains("MAP [mlp.unscaled.1] -> [mlp.1]");
        assertThat(ops(config(), BuiltinOp.Elementwise.class))
                .filteredOn(op -> op.function().equals(new ElementFunction.Scale(0.25f)))
                .hasSize(4);
    }

    @Test
    void theFactorOnAttentionScoresIsGivenAndDoesNotFollowFromTheHead() {
        assertThat(ops(config(), BuiltinOp.Attend.class)).allMatch(attend -> attend.scale() == 0.5);
    }

    @Test
    void logitsAreDivided() {
        List<Node> nodes = new GraniteFamily().graph(config()).nodes();

        assertThat(nodes.get(nodes.size() - 2)).hasToString("MAP [logits.raw] -> [logits]");
        assertThat(nodes.get(nodes.size() - 2).op()).isEqualTo(new BuiltinOp.Elementwise(new ElementFunction.Scale(0.125f)));
    }

    @Test
    void factorsOfOneAddNoOperations() {
        ModelConfig plain = with(Map.of("attention_multiplier", 1, "embedding_multiplier", 1.0, "residual_multiplier", 1.0,
                "logits_scaling", 1.0));

        assertThat(ops(plain, BuiltinOp.Elementwise.class)).noneMatch(op -> op.function() instanceof ElementFunction.Scale);
    }

    @Test
    void gateAndUpAreTheUpperAndLowerHalfOfOneTensor() {
        Parameter up = new GraniteFamily().graph(config()).parameters().stream()
                .filter(p -> p.name().equals("model.layers.0.block_sparse_moe.input_linear.weight:up")).findFirst().orElseThrow();

        assertThat(up.dims()).extracting(Dim::axis).containsExactly(Axes.EXPERTS, Axes.EXPERT_FFN, Axes.HIDDEN);
        List<TensorView.Factor> rows = up.source().dims().get(1).factors();
        assertThat(rows).containsExactly(TensorView.pick(2, 1), TensorView.whole(Axes.EXPERT_FFN.of(48)));
    }

    @Test
    void weightsAreASoftmaxOverTheChosenExperts() {
        assertThat(ops(config(), Route.class)).hasSize(2).allMatch(route -> route.score() == Route.Score.SOFTMAX_OF_CHOSEN);
    }

    @Test
    void theDenseModelHasOneFeedForwardNetwork() {
        ModelConfig dense = with(DENSE);

        assertThat(ops(dense, Route.class)).isEmpty();
        assertThat(listing(dense, 0, "gate"))
                .containsExactly("CONTRACT [mlp.in.0, model.layers.0.mlp.gate_proj.weight] -> [gate.0]");
    }

    @Test
    void aBadKeyIsNamedWithWhatWorks() {
        assertRefused(Map.of("logits_scaling", 0), "logits_scaling", "[0]", "positive");
        assertRefused(Map.of("residual_multiplier", -1), "residual_multiplier", "positive");
        assertRefused(Map.of("num_experts_per_tok", 5), "num_experts_per_tok", "at most num_local_experts [4]");
    }

    @ParameterizedTest
    @ValueSource(strings = {"granite", "granite-moe"})
    void usesEveryTensorOfAPublishedCheckpointAsItIsStored(String name) {
        OracleModel model = Oracles.reference(name);

        assertThat(new GraniteFamily().accepts(model.config())).isTrue();
        assertUsesAllOf(new GraniteFamily().graph(model.config()), model.storedShapes());
    }

    private static void assertRefused(Map<String, Object> changes, String... words) {
        assertThatThrownBy(() -> new GraniteFamily().graph(with(changes))).isInstanceOf(ModelConfigException.class)
                .hasMessageContainingAll(words);
    }

    private static List<String> listing(ModelConfig config, int layer, String... words) {
        return new GraniteFamily().graph(config).nodes().stream()
                .filter(node -> node.layer() == layer && !node.outputs().isEmpty())
                .filter(node -> List.of(words).contains(node.outputs().getFirst().name().replaceAll("\\..*", "")))
                .map(Node::toString).toList();
    }

    private static <O extends Op> List<O> ops(ModelConfig config, Class<O> type) {
        return new GraniteFamily().graph(config).nodes().stream().map(Node::op).filter(type::isInstance).map(type::cast).toList();
    }

    private static ModelConfig with(Map<String, Object> changes) {
        var values = new HashMap<>(SMALL);
        values.putAll(changes);
        return new ModelConfig("config.json", values);
    }
}
