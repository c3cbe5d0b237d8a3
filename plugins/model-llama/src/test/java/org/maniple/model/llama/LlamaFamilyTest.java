package org.maniple.model.llama;

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
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Node;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.TensorView;
import org.maniple.api.model.ModelArchitecture;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.model.ModelConfigException;
import org.maniple.testkit.ModelArchitectureContract;
import org.maniple.testkit.OracleModel;
import org.maniple.testkit.Oracles;

class LlamaFamilyTest extends ModelArchitectureContract {

    private static final Map<String, Object> SMALL = Map.of("architectures", List.of("LlamaForCausalLM"), "hidden_size", 32,
            "num_hidden_layers", 2, "num_attention_heads", 4, "num_key_value_heads", 2, "intermediate_size", 48, "vocab_size",
            100,
            "max_position_embeddings", 64, "rms_norm_eps", 1e-5);

    @Override
    protected ModelArchitecture architecture() {
        return new LlamaFamily();
    }

    @Override
    protected ModelConfig config() {
        return with(Map.of());
    }

    @Test
    void oneLayerReadsLikeThePaper() {
        List<String> listing = new LlamaFamily().graph(config()).nodes().stream().filter(node -> node.layer() == 1)
                .map(Node::toString)
                .toList();

        assertThat(listing).containsExactly(
                "SUMSQ [hidden.1] -> [attn.in.1.squares]",
                "NORMALIZE [hidden.1, attn.in.1.squares, model.layers.1.input_layernorm.weight] -> [attn.in.1]",
                "CONTRACT [attn.in.1, model.layers.1.self_attn.q_proj.weight] -> [q.1]",
                "ROPE [q.1] -> [q.turned.1]",
                "CONTRACT [attn.in.1, model.layers.1.self_attn.k_proj.weight] -> [k.1]",
                "ROPE [k.1] -> [k.turned.1]",
                "CONTRACT [attn.in.1, model.layers.1.self_attn.v_proj.weight] -> [v.1]",
                "CACHE [k.turned.1, keys.1] -> []",
                "CACHE [v.1, values.1] -> []",
                "ATTEND [q.turned.1, keys.1, values.1] -> [attended.1]",
                "CONTRACT [attended.1, model.layers.1.self_attn.o_proj.weight] -> [attn.1]",
                "MAP [hidden.1, attn.1] -> [middle.1]",
                "SUMSQ [middle.1] -> [mlp.in.1.squares]",
                "NORMALIZE [middle.1, mlp.in.1.squares, model.layers.1.post_attention_layernorm.weight] -> [mlp.in.1]",
                "CONTRACT [mlp.in.1, model.layers.1.mlp.gate_proj.weight] -> [gate.1]",
                "CONTRACT [mlp.in.1, model.layers.1.mlp.up_proj.weight] -> [up.1]",
                "MAP [gate.1, up.1] -> [gated.1]",
                "CONTRACT [gated.1, model.layers.1.mlp.down_proj.weight] -> [mlp.1]",
                "MAP [middle.1, mlp.1] -> [hidden.2]");
    }

    @Test
    void beginsWithTheEmbeddingsAndEndsWithTheCandidates() {
        ModelGraph graph = new LlamaFamily().graph(config());
        List<String> around = graph.nodes().stream().filter(node -> node.layer() < 0 || node.layer() == 2).map(Node::toString)
                .toList();

        assertThat(around).containsExactly(
                "EMBED [ids, model.embed_tokens.weight] -> [hidden.0]",
                "SUMSQ [hidden.2] -> [hidden.norm.squares]",
                "NORMALIZE [hidden.2, hidden.norm.squares, model.norm.weight] -> [hidden.norm]",
                "SELECT [hidden.norm] -> [selected]",
                "CONTRACT [selected, lm_head.weight] -> [logits]",
                "TOPK [logits] -> [candidates]");
        assertThat(graph.contextLength()).isEqualTo(64);
        assertThat(graph.vocabulary()).isEqualTo(100);
    }

    @Test
    void keyValueHeadsFollowTheQueryHeadsThatReadThem() {
        ModelGraph graph = new LlamaFamily().graph(config());

        assertThat(graph.family(Axes.KV_HEADS)).isEqualTo(Axes.HEADS);
        assertThat(graph.derivations().get(Axes.KV_HEADS).group()).isEqualTo(2);
        assertThat(graph.states()).allMatch(state -> state.extent(Axes.KV_HEADS) == 2);
    }

    @Test
    void aTiedHeadIsASecondParameterOverTheEmbeddings() {
        ModelGraph graph = new LlamaFamily().graph(with(Map.of("tie_word_embeddings", true)));

        assertThat(storedTensor(graph, "lm_head.weight")).isEqualTo("model.embed_tokens.weight");
        assertThat(storedTensor(graph, "model.embed_tokens.weight")).isEqualTo("model.embed_tokens.weight");
    }

    @Test
    void attentionBiasIsOnAllFourProjectionsAndMlpBiasOnAllThree() {
        ModelGraph graph = new LlamaFamily().graph(with(Map.of("attention_bias", true, "mlp_bias", true)));

        assertThat(graph.parameters().stream().map(Parameter::name)
                .filter(name -> name.startsWith("model.layers.0.") && name.endsWith("bias")))
                .extracting(name -> name.replaceAll(".*\\.(\\w+)_proj.bias", "$1"))
                .containsExactlyInAnyOrder("q", "k", "v", "o", "gate", "up", "down");
    }

    @Test
    void mistralSeesAWindowAndLlamaDoesNot() {
        var window = Map.<String, Object>of("sliding_window", 16);
        var mistral = new HashMap<>(window);
        mistral.put("architectures", List.of("MistralForCausalLM"));

        assertThat(windows(with(mistral))).containsOnly(16);
        assertThat(windows(with(window))).containsOnly(0);
    }

    @Test
    void aHeadDimensionOfItsOwnSetsTheScale() {
        ModelGraph graph = new LlamaFamily().graph(with(Map.of("head_dim", 16)));

        assertThat(attends(graph)).allMatch(attend -> attend.scale() == 0.25);
    }

    @ParameterizedTest
    @ValueSource(strings = {"hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size",
        "max_position_embeddings"})
    void aMissingKeyIsNamed(String key) {
        var values = new HashMap<>(SMALL);
        values.remove(key);

        assertThatThrownBy(() -> new LlamaFamily().graph(new ModelConfig("config.json", values)))
                .isInstanceOf(ModelConfigException.class).hasMessageContaining("[" + key + "] is missing");
    }

    @Test
    void valuesThatCannotBeBuiltAreNamedWithWhatWorks() {
        assertRefused(Map.of("hidden_act", "quick_gelu"), "hidden_act", "quick_gelu", "silu");
        assertRefused(Map.of("num_key_value_heads", 3), "num_key_value_heads", "3", "divisor of num_attention_heads [4]");
        assertRefused(Map.of("hidden_size", 30), "hidden_size", "30", "multiple of num_attention_heads [4]");
        assertRefused(Map.of("head_dim", 7), "head_dim", "7", "even");
        assertRefused(Map.of("quantization_config", Map.of("quant_method", "bitsandbytes")), "quantization_config",
                "bitsandbytes", "fp8",
                "BF16");
        assertRefused(Map.of("num_hidden_layers", 100_000), "num_hidden_layers", "100000", "at most 4096");
        assertRefused(Map.of("rms_norm_eps", -1), "rms_norm_eps", "-1", "not negative");
        assertRefused(Map.of("rope_scaling", Map.of("rope_type", "dynamic")), "rope_type", "dynamic", "yarn");
        assertRefused(Map.of("vocab_size", "many"), "vocab_size", "many", "whole number");
    }

    @ParameterizedTest
    @ValueSource(strings = {"models/llama-plain", "models/llama-gqa-rope3-sharded", "models/llama-tied-bias-bf16",
        "models/mistral-window",
        "demo-dense"})
    void usesEveryTensorOfAPublishedCheckpointAsItIsStored(String name) {
        OracleModel model = Oracles.model(name);

        assertThat(new LlamaFamily().accepts(model.config())).isTrue();
        assertUsesAllOf(new LlamaFamily().graph(model.config()), model.storedShapes());
    }

    private static void assertRefused(Map<String, Object> changes, String... words) {
        assertThatThrownBy(() -> new LlamaFamily().graph(with(changes))).isInstanceOf(ModelConfigException.class)
                .hasMessageContainingAll(words);
    }

    private static List<BuiltinOp.Attend> attends(ModelGraph graph) {
        return graph.nodes().stream().map(Node::op).filter(BuiltinOp.Attend.class::isInstance).map(BuiltinOp.Attend.class::cast)
                .toList();
    }

    private static List<Integer> windows(ModelConfig config) {
        return attends(new LlamaFamily().graph(config)).stream().map(BuiltinOp.Attend::window).toList();
    }

    private static String storedTensor(ModelGraph graph, String parameter) {
        return graph.parameters().stream().filter(p -> p.name().equals(parameter))
                .map(p -> ((TensorView.Stored) p.source()).tensor()).findFirst().orElseThrow();
    }

    private static ModelConfig with(Map<String, Object> changes) {
        var values = new HashMap<>(SMALL);
        values.putAll(changes);
        return new ModelConfig("config.json", values);
    }
}
