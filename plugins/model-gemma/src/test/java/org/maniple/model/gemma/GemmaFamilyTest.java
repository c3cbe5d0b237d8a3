package org.maniple.model.gemma;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.ElementFunction;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Node;
import org.maniple.api.graph.Op;
import org.maniple.api.graph.TensorView;
import org.maniple.api.model.ModelArchitecture;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.model.ModelConfigException;
import org.maniple.testkit.ModelArchitectureContract;
import org.maniple.testkit.OracleModel;
import org.maniple.testkit.Oracles;

class GemmaFamilyTest extends ModelArchitectureContract {

    private static final Map<String, Object> SMALL = Map.ofEntries(Map.entry("architectures", List.of("Gemma3ForCausalLM")),
            Map.entry("hidden_size", 64), Map.entry("num_hidden_layers", 4), Map.entry("num_attention_heads", 4),
            Map.entry("num_key_value_heads", 2), Map.entry("head_dim", 8), Map.entry("intermediate_size", 48),
            Map.entry("vocab_size", 100),
            Map.entry("max_position_embeddings", 64), Map.entry("query_pre_attn_scalar", 16), Map.entry("sliding_window", 12),
            Map.entry("sliding_window_pattern", 2));

    @Override
    protected ModelArchitecture architecture() {
        return new GemmaFamily();
    }

    @Override
    protected ModelConfig config() {
        return with(Map.of());
    }

    @Test
    void bothHalvesOfABlockAreNormedBeforeAndAfter() {
        List<String> norms = new GemmaFamily().graph(config()).nodes().stream().filter(node -> node.layer() == 0)
                .filter(node -> node.op() instanceof BuiltinOp.Normalize || node.toString().startsWith("MAP")).map(Node::toString)
                .toList();

        assertThat(norms).containsExactly(
                "NORMALIZE [hidden.0, attn.in.0.squares, model.layers.0.input_layernorm.weight] -> [attn.in.0]",
                "NORMALIZE [q.0, q.normed.0.squares, model.layers.0.self_attn.q_norm.weight] -> [q.normed.0]",
                "NORMALIZE [k.0, k.normed.0.squares, model.layers.0.self_attn.k_norm.weight] -> [k.normed.0]",
                "NORMALIZE [attn.0, attn.out.0.squares, model.layers.0.post_attention_layernorm.weight] -> [attn.out.0]",
                "MAP [hidden.0, attn.out.0] -> [middle.0]",
                "NORMALIZE [middle.0, mlp.in.0.squares, model.layers.0.pre_feedforward_layernorm.weight] -> [mlp.in.0]",
                "MAP [gate.0, up.0] -> [gated.0]",
                "NORMALIZE [mlp.0, mlp.out.0.squares, model.layers.0.post_feedforward_layernorm.weight] -> [mlp.out.0]",
                "MAP [middle.0, mlp.out.0] -> [hidden.1]");
    }

    @Test
    void allNormsAddOneToTheirWeights() {
        assertThat(ops(config(), BuiltinOp.Normalize.class)).isNotEmpty().allMatch(norm -> norm.offset() == 1);
    }

    @Test
    void embeddingsAreScaledByTheRootOfTheHiddenSize() {
        Node scale = new GemmaFamily().graph(config()).nodes().get(1);

        assertThat(scale).hasToString("MAP [embedded] -> [hidden.0]");
        assertThat(scale.op()).isEqualTo(new BuiltinOp.Elementwise(new ElementFunction.Scale(8)));
    }

    @Test
    void everyNthLayerSeesAllPositionsAndTheOthersAWindow() {
        assertThat(ops(config(), BuiltinOp.Attend.class)).extracting(BuiltinOp.Attend::window).containsExactly(12, 0, 12, 0);
        assertThat(ops(config(), BuiltinOp.Attend.class)).allMatch(attend -> attend.scale() == 0.25);
    }

    @Test
    void layerTypesOverrideThePattern() {
        ModelConfig config = with(Map.of("layer_types",
                List.of("full_attention", "sliding_attention", "sliding_attention", "full_attention")));

        assertThat(ops(config, BuiltinOp.Attend.class)).extracting(BuiltinOp.Attend::window).containsExactly(0, 12, 12, 0);
    }

    @Test
    void onlyTheGlobalLayersAreScaledAndHaveTheLargeBase() {
        List<BuiltinOp.Rope> ropes = ops(with(Map.of("rope_scaling", Map.of("rope_type", "linear", "factor", 8.0))),
                BuiltinOp.Rope.class);

        assertThat(ropes.get(0).frequencies().get(0)).isEqualTo(1.0);
        assertThat(ropes.get(0).frequencies().get(2)).isEqualTo(0.01);
        assertThat(ropes.get(2).frequencies().get(0)).isEqualTo(0.125);
        assertThat(ropes.get(2).frequencies().get(2)).isEqualTo(0.001 / 8);
    }

    @Test
    void ropeParametersOfEachKindOfLayerAreUnderstood() {
        List<BuiltinOp.Rope> ropes = ops(with(Map.of("rope_parameters", Map.of(
                "sliding_attention", Map.of("rope_type", "default", "rope_theta", 100.0),
                "full_attention", Map.of("rope_type", "linear", "factor", 2.0, "rope_theta", 10_000.0)))), BuiltinOp.Rope.class);

        assertThat(ropes.get(0).frequencies().get(2)).isEqualTo(0.1);
        assertThat(ropes.get(2).frequencies().get(2)).isEqualTo(0.005);
    }

    @Test
    void theHeadIsTiedUnlessTheConfigurationSaysOtherwise() {
        assertThat(headTensor(Map.of())).isEqualTo("model.embed_tokens.weight");
        assertThat(headTensor(Map.of("tie_word_embeddings", false))).isEqualTo("lm_head.weight");
    }

    @Test
    void aSoftCapBoundsTheLogits() {
        ModelGraph graph = new GemmaFamily().graph(with(Map.of("final_logit_softcapping", 30.0)));
        Node last = graph.nodes().get(graph.nodes().size() - 2);

        assertThat(last).hasToString("MAP [logits.raw] -> [logits]");
        assertThat(last.op()).isEqualTo(new BuiltinOp.Elementwise(new ElementFunction.SoftCap(30)));
    }

    @Test
    void whatCannotBeBuiltIsNamed() {
        assertRefused(Map.of("attn_logit_softcapping", 50.0), "attn_logit_softcapping", "50.0", "not supported");
        assertRefused(Map.of("use_bidirectional_attention", true), "use_bidirectional_attention", "true", "causal");
        assertRefused(Map.of("final_logit_softcapping", 0), "final_logit_softcapping", "positive");
        assertRefused(Map.of("query_pre_attn_scalar", 0), "query_pre_attn_scalar", "positive");
        assertRefused(Map.of("rope_local_base_freq", 0), "rope_local_base_freq", "greater than 1");
        assertRefused(Map.of("hidden_activation", "mish"), "hidden_activation", "mish", "gelu_pytorch_tanh");
        assertRefused(Map.of("sliding_window", 0), "sliding_window");
    }

    @Test
    void usesEveryTensorOfAPublishedCheckpointAsItIsStored() {
        OracleModel model = Oracles.model("models/gemma3");

        assertThat(new GemmaFamily().accepts(model.config())).isTrue();
        assertUsesAllOf(new GemmaFamily().graph(model.config()), model.storedShapes());
    }

    private static void assertRefused(Map<String, Object> changes, String... words) {
        assertThatThrownBy(() -> new GemmaFamily().graph(with(changes))).isInstanceOf(ModelConfigException.class)
                .hasMessageContainingAll(words);
    }

    private static String headTensor(Map<String, Object> changes) {
        return new GemmaFamily().graph(with(changes)).parameters().stream().filter(p -> p.name().equals("lm_head.weight"))
                .map(p -> ((TensorView.Stored) p.source()).tensor()).findFirst().orElseThrow();
    }

    private static <O extends Op> List<O> ops(ModelConfig config, Class<O> type) {
        return new GemmaFamily().graph(config).nodes().stream().map(Node::op).filter(type::isInstance).map(type::cast).toList();
    }

    private static ModelConfig with(Map<String, Object> changes) {
        var values = new HashMap<>(SMALL);
        values.putAll(changes);
        return new ModelConfig("config.json", values);
    }
}
