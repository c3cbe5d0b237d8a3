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
import org.maniple.api.graph.Node;
import org.maniple.api.graph.Parameter;
import org.maniple.api.model.ModelArchitecture;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.model.ModelConfigException;
import org.maniple.testkit.ModelArchitectureContract;
import org.maniple.testkit.OracleModel;
import org.maniple.testkit.Oracles;

class QwenFamilyTest extends ModelArchitectureContract {

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
        assertRefused(Map.of("quantization_config", Map.of("quant_method", "awq")), "quantization_config", "awq");
        assertRefused(Map.of("hidden_act", "mish"), "hidden_act", "mish", "silu");
        assertRefused(Map.of("use_sliding_window", true, "sliding_window", 0), "sliding_window", "0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"models/qwen2", "models/qwen3-tied"})
    void usesEveryTensorOfAPublishedCheckpointAsItIsStored(String name) {
        OracleModel model = Oracles.model(name);

        assertThat(new QwenFamily().accepts(model.config())).isTrue();
        assertUsesAllOf(new QwenFamily().graph(model.config()), model.storedShapes());
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
