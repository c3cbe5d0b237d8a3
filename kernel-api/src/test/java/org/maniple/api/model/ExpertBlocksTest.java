package org.maniple.api.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.ElementFunction;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Node;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.TensorView;
import org.maniple.api.graph.Value;

class ExpertBlocksTest {

    private static final DecoderShape SHAPE = new DecoderShape(1, 8, 2, 2, 4, 6, 20, 32, 1e-6);
    private static final ExpertShape EXPERTS = new ExpertShape(4, 2, 10);
    private static final BuiltinOp.Route ROUTE = new BuiltinOp.Route(BuiltinOp.Route.Score.SOFTMAX, 1, 1,
            BuiltinOp.Route.GroupScore.MAX, true, 1);

    private final DecoderBlocks blocks = new DecoderBlocks("test", SHAPE, 0);
    private final ExpertBlocks experts = new ExpertBlocks(blocks.graph(), SHAPE, EXPERTS);

    @Test
    void routedValuesHaveARowForEachPairOfATokenAndAChosenExpert() {
        ModelGraph graph = graph(x -> experts.feedForward(0, x, mixture(Optional.empty())));

        assertThat(value(graph, "pairs.0").choices()).isEqualTo(2);
        assertThat(value(graph, "pairs.0").dims()).hasToString("[TOKENS, EXPERTS:4, HIDDEN:8]");
        assertThat(value(graph, "experts.gated.0").dims()).hasToString("[TOKENS, EXPERTS:4, EXPERT_FFN:10]");
        assertThat(value(graph, "experts.down.0").dims()).hasToString("[TOKENS, EXPERTS:4, HIDDEN:8]");
        assertThat(value(graph, "mlp.0").dims()).hasToString("[TOKENS, HIDDEN:8]");
        assertThat(value(graph, "mlp.0").ragged()).isFalse();
    }

    @Test
    void aMatrixOfEachExpertIsATensorOfItsOwn() {
        ModelGraph graph = graph(x -> experts.feedForward(0, x, mixture(Optional.empty())));
        Parameter down = parameter(graph, "model.layers.0.mlp.experts.{}.down_proj.weight");

        assertThat(down.dims()).hasToString("[EXPERTS:4, HIDDEN:8, EXPERT_FFN:10]");
        assertThat(down.source().tensors()).hasSize(4).containsEntry("model.layers.0.mlp.experts.3.down_proj.weight",
                List.of(8L, 10L));
    }

    @Test
    void theRouterIsNotSplitWithTheExperts() {
        ModelGraph graph = graph(x -> experts.feedForward(0, x, mixture(Optional.empty())));

        assertThat(parameter(graph, "model.layers.0.mlp.gate.weight").has(Axes.EXPERTS)).isFalse();
        assertThat(value(graph, "router.0").dims()).hasToString("[TOKENS, GATES:4]");
        assertThat(value(graph, "experts.0.weights").dims()).hasToString("[TOKENS, k:2]");
    }

    @Test
    void sumsOfRoutedAndSharedExpertsAreAddedBeforeAnythingElse() {
        var shared = new ExpertBlocks.Shared("mlp.shared_experts.", 12, Optional.of("mlp.shared_expert_gate.weight"));
        ModelGraph graph = graph(x -> experts.feedForward(0, x, mixture(Optional.of(shared))));

        assertThat(listing(graph)).endsWith(
                "MAP [shared.gated.0, shared.share.0] -> [shared.weighed.0]",
                "CONTRACT [shared.weighed.0, model.layers.0.mlp.shared_experts.down_proj.weight] -> [shared.0]",
                "MAP [routed.0, shared.0] -> [mlp.0]",
                "MAP [hidden.0, mlp.0] -> [hidden.1]");
        assertThat(value(graph, "shared.weighed.0").dims()).hasToString("[TOKENS, SHARED_FFN:12]");
        assertThat(parameter(graph, "model.layers.0.mlp.shared_expert_gate.weight").source().tensors())
                .containsValue(List.of(1L, 8L));
    }

    @Test
    void aRoutersBiasIsPartOfTheLogitsAndACorrectionIsNot() {
        var biased = new ExpertBlocks.Router("mlp.router", true, Optional.of("mlp.correction"), ROUTE);
        ModelGraph graph = graph(x -> {
            var routing = experts.route(0, x, biased);
            return experts.routed("mlp.0", 0, x, routing, experts.weights(0, ExpertBlocks.Names.USUAL),
                    new ElementFunction.Glu(ElementFunction.Activation.SILU));
        });

        assertThat(listing(graph)).contains(
                "CONTRACT [mlp.in.0, model.layers.0.mlp.router.weight] -> [router.0.unbiased]",
                "MAP [router.0.unbiased, model.layers.0.mlp.router.bias] -> [router.0]",
                "ROUTE [router.0, model.layers.0.mlp.correction] -> [experts.0, experts.0.weights]");
    }

    @Test
    void eachExpertsBiasIsAddedToItsRows() {
        ModelGraph graph = graph(x -> {
            var plain = experts.weights(0, ExpertBlocks.Names.USUAL);
            Parameter bias = blocks.graph().parameter("bias",
                    TensorView.stored("bias", TensorView.dim(EXPERTS.routedExperts()), TensorView.dim(EXPERTS.expertColumns())),
                    EXPERTS.routedExperts(), EXPERTS.expertColumns());
            var gate = new ExpertBlocks.Projection(plain.gate().weight(), Optional.of(bias));
            return experts.routed("mlp.0", 0, x, experts.route(0, x, mixture(Optional.empty()).router()),
                    new ExpertBlocks.Weights(gate, plain.up(), plain.down()), new ElementFunction.ClampedGlu(1.702f, 7));
        });

        assertThat(listing(graph)).contains("MAP [experts.gate.0.unbiased, bias] -> [experts.gate.0]",
                "MAP [experts.gate.0, experts.up.0] -> [experts.gated.0]");
        assertThat(value(graph, "experts.gate.0").choices()).isEqualTo(2);
    }

    @Test
    void extentsThatDoNotFitTogetherAreRefused() {
        assertThat(ExpertShape.of(config(Map.of()), "experts", "columns")).isEqualTo(EXPERTS);
        assertRefused(Map.of("num_experts_per_tok", 5), "num_experts_per_tok", "[5]", "at most experts [4]");
        assertRefused(Map.of("experts", 1 << 20), "experts", "at most 16384");
        assertRefused(Map.of("columns", 0), "columns", "[0]");
    }

    @Test
    void groupsHaveEqualSizeAndTogetherEnoughExperts() {
        assertThat(EXPERTS.groups(config(Map.of()), 2)).isEqualTo(ExpertShape.Groups.NONE);
        assertThat(EXPERTS.groups(config(Map.of("n_group", 2, "topk_group", 1)), 2)).isEqualTo(new ExpertShape.Groups(2, 1));
        assertGroupsRefused(Map.of("n_group", 3), "n_group", "[3]", "divisor");
        assertGroupsRefused(Map.of("n_group", 4, "topk_group", 2), "n_group", "at least 2");
        assertGroupsRefused(Map.of("n_group", 2, "topk_group", 3), "topk_group", "at most n_group [2]");
    }

    private static void assertRefused(Map<String, Object> changes, String... words) {
        assertThatThrownBy(() -> ExpertShape.of(config(changes), "experts", "columns")).isInstanceOf(ModelConfigException.class)
                .hasMessageContainingAll(words);
    }

    private static void assertGroupsRefused(Map<String, Object> changes, String... words) {
        assertThatThrownBy(() -> EXPERTS.groups(config(changes), 2)).isInstanceOf(ModelConfigException.class)
                .hasMessageContainingAll(words);
    }

    private static ModelConfig config(Map<String, Object> changes) {
        var values = new HashMap<String, Object>(Map.of("experts", 4, "num_experts_per_tok", 2, "columns", 10));
        values.putAll(changes);
        return new ModelConfig("config.json", values);
    }

    private static ExpertBlocks.Mixture mixture(Optional<ExpertBlocks.Shared> shared) {
        return new ExpertBlocks.Mixture(new ExpertBlocks.Router("mlp.gate", false, Optional.empty(), ROUTE),
                ExpertBlocks.Names.USUAL, ElementFunction.Activation.SILU, shared);
    }

    /** A model of one block that has nothing but experts. */
    private ModelGraph graph(UnaryOperator<Value> feedForward) {
        Value stream = blocks.embeddings("hidden.0");
        blocks.graph().layer(0);
        Value fed = feedForward.apply(blocks.norm("mlp.in.0", stream, "norm.weight"));
        return blocks.head(blocks.graph().sum("hidden.1", stream, fed), false, Optional.empty());
    }

    private static List<String> listing(ModelGraph graph) {
        return graph.nodes().stream().filter(node -> node.layer() == 0).map(Node::toString).toList();
    }

    private static Value value(ModelGraph graph, String name) {
        return graph.nodes().stream().flatMap(node -> node.outputs().stream()).filter(v -> v.name().equals(name)).findFirst()
                .orElseThrow();
    }

    private static Parameter parameter(ModelGraph graph, String name) {
        return graph.parameters().stream().filter(p -> p.name().equals(name)).findFirst().orElseThrow();
    }
}
