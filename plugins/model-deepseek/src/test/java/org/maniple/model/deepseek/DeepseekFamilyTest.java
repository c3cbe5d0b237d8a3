package org.maniple.model.deepseek;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.BuiltinOp.Route;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Node;
import org.maniple.api.graph.Op;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.State;
import org.maniple.api.model.ModelArchitecture;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.model.ModelConfigException;
import org.maniple.testkit.ModelArchitectureContract;
import org.maniple.testkit.OracleModel;
import org.maniple.testkit.Oracles;

class DeepseekFamilyTest extends ModelArchitectureContract {

    private static final Map<String, Object> SMALL = Map.ofEntries(Map.entry("architectures", List.of("DeepseekV3ForCausalLM")),
            Map.entry("hidden_size", 32), Map.entry("num_hidden_layers", 3), Map.entry("num_attention_heads", 4),
            Map.entry("intermediate_size", 48), Map.entry("vocab_size", 100), Map.entry("max_position_embeddings", 64),
            Map.entry("q_lora_rank", 24), Map.entry("kv_lora_rank", 16), Map.entry("qk_nope_head_dim", 8),
            Map.entry("qk_rope_head_dim", 4), Map.entry("v_head_dim", 10), Map.entry("n_routed_experts", 8),
            Map.entry("num_experts_per_tok", 2), Map.entry("moe_intermediate_size", 20), Map.entry("n_shared_experts", 2),
            Map.entry("first_k_dense_replace", 1), Map.entry("n_group", 4), Map.entry("topk_group", 2),
            Map.entry("routed_scaling_factor", 2.5), Map.entry("num_nextn_predict_layers", 1));

    private static final Map<String, Object> YARN = Map.of("type", "yarn", "factor", 40, "original_max_position_embeddings", 64,
            "mscale", 0.707, "mscale_all_dim", 0.707);

    @Override
    protected ModelArchitecture architecture() {
        return new DeepseekFamily();
    }

    @Override
    protected ModelConfig config() {
        return with(Map.of());
    }

    @Test
    void theLayerThatGuessesReadsLikeThePaper() {
        ModelGraph graph = new DeepseekFamily().draftingGraph(with(Map.of())).orElseThrow();
        List<String> lines = graph.nodes().stream().skip(graph.draft().orElseThrow().firstNode()).map(Node::toString).toList();
        assertThat(lines).startsWith("EMBED [ids, draft.model.embed_tokens.weight] -> [draft.embedding]",
                "SUMSQ [draft.embedding] -> [draft.next.squares]",
                "NORMALIZE [draft.embedding, draft.next.squares, model.layers.3.enorm.weight] -> [draft.next]",
                "SUMSQ [draft.hidden] -> [draft.before.squares]",
                "NORMALIZE [draft.hidden, draft.before.squares, model.layers.3.hnorm.weight] -> [draft.before]",
                "CONTRACT [draft.next, model.layers.3.eh_proj.weight:next] -> [draft.next.projected]",
                "CONTRACT [draft.before, model.layers.3.eh_proj.weight:before] -> [draft.before.projected]",
                "MAP [draft.next.projected, draft.before.projected] -> [draft.joined]",
                "SUMSQ [draft.joined] -> [attn.in.3.squares]");
        assertThat(lines).endsWith(
                "NORMALIZE [hidden.4, draft.norm.squares, model.layers.3.shared_head.norm.weight] -> [draft.norm]",
                "SELECT [draft.norm] -> [draft.selected]",
                "CONTRACT [draft.selected, lm_head.weight] -> [draft.logits]",
                "TOPK [draft.logits] -> [draft.candidates]");
        assertThat(graph.draft().orElseThrow().source().name()).isEqualTo("hidden.norm");
    }

    @Test
    void oneLayerReadsLikeThePaper() {
        assertThat(listing(graph(Map.of()), 1)).containsExactly(
                "SUMSQ [hidden.1] -> [attn.in.1.squares]",
                "NORMALIZE [hidden.1, attn.in.1.squares, model.layers.1.input_layernorm.weight] -> [attn.in.1]",
                "CONTRACT [attn.in.1, model.layers.1.self_attn.q_a_proj.weight] -> [q.latent.1]",
                "SUMSQ [q.latent.1] -> [q.normed.1.squares]",
                "NORMALIZE [q.latent.1, q.normed.1.squares, model.layers.1.self_attn.q_a_layernorm.weight] -> [q.normed.1]",
                "CONTRACT [q.normed.1, model.layers.1.self_attn.q_b_proj.weight:nope] -> [q.1]",
                "CONTRACT [q.normed.1, model.layers.1.self_attn.q_b_proj.weight:rope] -> [q.rope.1]",
                "ROPE [q.rope.1] -> [q.turned.1]",
                "CONTRACT [attn.in.1, model.layers.1.self_attn.kv_a_proj_with_mqa.weight:latent] -> [latent.1]",
                "SUMSQ [latent.1] -> [latent.normed.1.squares]",
                "NORMALIZE [latent.1, latent.normed.1.squares, model.layers.1.self_attn.kv_a_layernorm.weight] -> [latent.normed.1]",
                "CACHE [latent.normed.1, latents.1] -> []",
                "CONTRACT [attn.in.1, model.layers.1.self_attn.kv_a_proj_with_mqa.weight:rope] -> [k.rope.1]",
                "ROPE [k.rope.1] -> [k.turned.1]",
                "CACHE [k.turned.1, keys.1] -> []",
                "ATTEND latent [q.1, q.turned.1, latents.1, keys.1, model.layers.1.self_attn.kv_b_proj.weight:keys,"
                        + " model.layers.1.self_attn.kv_b_proj.weight:values] -> [attended.1]",
                "CONTRACT [attended.1, model.layers.1.self_attn.o_proj.weight] -> [attn.1]",
                "MAP [hidden.1, attn.1] -> [middle.1]",
                "SUMSQ [middle.1] -> [mlp.in.1.squares]",
                "NORMALIZE [middle.1, mlp.in.1.squares, model.layers.1.post_attention_layernorm.weight] -> [mlp.in.1]",
                "CONTRACT [mlp.in.1, model.layers.1.mlp.gate.weight] -> [router.1]",
                "ROUTE [router.1, model.layers.1.mlp.gate.e_score_correction_bias] -> [experts.1, experts.1.weights]",
                "DISPATCH [mlp.in.1, experts.1, experts.1.weights] -> [pairs.1]",
                "CONTRACT [pairs.1, model.layers.1.mlp.experts.{}.gate_proj.weight] -> [experts.gate.1]",
                "CONTRACT [pairs.1, model.layers.1.mlp.experts.{}.up_proj.weight] -> [experts.up.1]",
                "MAP [experts.gate.1, experts.up.1] -> [experts.gated.1]",
                "CONTRACT [experts.gated.1, model.layers.1.mlp.experts.{}.down_proj.weight] -> [experts.down.1]",
                "COMBINE [experts.down.1, experts.1, experts.1.weights] -> [routed.1]",
                "CONTRACT [mlp.in.1, model.layers.1.mlp.shared_experts.gate_proj.weight] -> [shared.gate.1]",
                "CONTRACT [mlp.in.1, model.layers.1.mlp.shared_experts.up_proj.weight] -> [shared.up.1]",
                "MAP [shared.gate.1, shared.up.1] -> [shared.gated.1]",
                "CONTRACT [shared.gated.1, model.layers.1.mlp.shared_experts.down_proj.weight] -> [shared.1]",
                "MAP [routed.1, shared.1] -> [mlp.1]",
                "MAP [middle.1, mlp.1] -> [hidden.2]");
    }

    @Test
    void theFirstLayersAreDense() {
        assertThat(sparseLayers(graph(Map.of("first_k_dense_replace", 2)))).containsExactly(2);
        assertThat(sparseLayers(graph(Map.of("first_k_dense_replace", 0)))).containsExactly(0, 1, 2);
        assertThat(sparseLayers(graph(Map.of("first_k_dense_replace", 1, "moe_layer_freq", 2)))).containsExactly(2);
    }

    @Test
    void whatIsCachedOfAPositionHasNoHeads() {
        List<State> states = graph(Map.of()).states();

        assertThat(states).extracting(State::name).startsWith("latents.0", "keys.0", "latents.1", "keys.1");
        assertThat(states.stream().limit(2).mapToInt(state -> state.dims().getLast().extent()).sum()).isEqualTo(16 + 4);
        assertThat(states).allMatch(state -> state.dims().size() == 2);
    }

    @Test
    void withoutAQueryLatentQueriesAreProjectedAtOnce() {
        var changes = new HashMap<String, Object>();
        changes.put("q_lora_rank", null);

        assertThat(listing(graph(changes), 0)).contains(
                "CONTRACT [attn.in.0, model.layers.0.self_attn.q_proj.weight:nope] -> [q.0]",
                "CONTRACT [attn.in.0, model.layers.0.self_attn.q_proj.weight:rope] -> [q.rope.0]")
                .noneMatch(line -> line.contains("q_a"));
    }

    @Test
    void pairsOfNeighboursAreTurnedUnlessTheConfigurationSaysOtherwise() {
        assertThat(ops(graph(Map.of()), BuiltinOp.Rope.class)).isNotEmpty().allMatch(BuiltinOp.Rope::interleaved);
        assertThat(ops(graph(Map.of("rope_interleave", false)), BuiltinOp.Rope.class)).noneMatch(BuiltinOp.Rope::interleaved);
    }

    @Test
    void theLatentsNormsHaveAnEpsilonOfTheirOwn() {
        List<Node> norms = graph(Map.of("rms_norm_eps", 1e-3)).nodes().stream()
                .filter(node -> node.op() instanceof BuiltinOp.Normalize && node.layer() == 0).toList();

        assertThat(norms)
                .extracting(node -> node.outputs().getFirst().name(), node -> ((BuiltinOp.Normalize) node.op()).epsilon())
                .containsExactly(tuple("attn.in.0", 1e-3f),
                        tuple("q.normed.0", 1e-6f),
                        tuple("latent.normed.0", 1e-6f),
                        tuple("mlp.in.0", 1e-3f));
    }

    @Test
    void yarnMultipliesScoresByTheSquareOfItsTemperatureAndLeavesCosineAndSineAlone() {
        double temperature = 0.1 * 0.707 * Math.log(40) + 1;
        ModelGraph stretched = graph(Map.of("rope_scaling", YARN));

        assertThat(ops(stretched, BuiltinOp.AttendLatent.class)).allSatisfy(attend -> assertThat(attend.scale())
                .isEqualTo(temperature * temperature / Math.sqrt(12), within(1e-15)));
        assertThat(ops(stretched, BuiltinOp.Rope.class)).allMatch(rope -> rope.scale() == 1);
        assertThat(ops(graph(Map.of()), BuiltinOp.AttendLatent.class)).allSatisfy(attend -> assertThat(attend.scale())
                .isEqualTo(1 / Math.sqrt(12), within(1e-15)));
    }

    @Test
    void v3ChoosesBySigmoidsFromTheGroupsWithTheTwoBestExperts() {
        assertThat(ops(graph(Map.of()), Route.class))
                .containsOnly(new Route(Route.Score.SIGMOID, 4, 2, Route.GroupScore.TOP_TWO, true, 2.5));
        assertThat(ops(graph(Map.of("norm_topk_prob", false)), Route.class)).noneMatch(Route::normalise);
    }

    @Test
    void v2ChoosesBySoftmaxAndNeverNormalises() {
        var limited = new Route(Route.Score.SOFTMAX, 4, 2, Route.GroupScore.MAX, false, 2.5);
        var greedy = new Route(Route.Score.SOFTMAX, 1, 1, Route.GroupScore.MAX, false, 2.5);

        assertThat(ops(v2(Map.of("topk_method", "group_limited_greedy", "norm_topk_prob", true)), Route.class))
                .containsOnly(limited);
        assertThat(ops(v2(Map.of("topk_method", "greedy")), Route.class)).containsOnly(greedy);
        assertThat(listing(v2(Map.of()), 1)).contains("ROUTE [router.1] -> [experts.1, experts.1.weights]");
    }

    @Test
    void severalSharedExpertsAreStoredAsOneAndNoneIsPossible() {
        assertThat(parameter(graph(Map.of()), "model.layers.1.mlp.shared_experts.up_proj.weight").dims().getFirst().extent())
                .isEqualTo(2 * 20);
        assertThat(listing(graph(Map.of("n_shared_experts", 0)), 1)).contains(
                "COMBINE [experts.down.1, experts.1, experts.1.weights] -> [mlp.1]").noneMatch(line -> line.contains("shared"));
    }

    @Test
    void deepseekV3HasItsPublishedNumberOfParameters() {
        ModelGraph graph = graph(Map.ofEntries(Map.entry("vocab_size", 129_280), Map.entry("hidden_size", 7168),
                Map.entry("intermediate_size", 18_432), Map.entry("moe_intermediate_size", 2048),
                Map.entry("num_hidden_layers", 61),
                Map.entry("num_nextn_predict_layers", 1), Map.entry("num_attention_heads", 128), Map.entry("n_shared_experts", 1),
                Map.entry("n_routed_experts", 256), Map.entry("num_experts_per_tok", 8), Map.entry("n_group", 8),
                Map.entry("topk_group", 4), Map.entry("first_k_dense_replace", 3), Map.entry("q_lora_rank", 1536),
                Map.entry("kv_lora_rank", 512), Map.entry("qk_nope_head_dim", 128), Map.entry("qk_rope_head_dim", 64),
                Map.entry("v_head_dim", 128), Map.entry("max_position_embeddings", 163_840),
                Map.entry("quantization_config", fp8(128)),
                Map.entry("rope_scaling",
                        Map.of("type", "yarn", "factor", 40, "original_max_position_embeddings", 4096, "mscale", 1.0,
                                "mscale_all_dim", 1.0))));

        assertThat(parameters(graph)).isEqualTo(671_026_419_200L);
        assertThat(graph.contextLength()).isEqualTo(163_840);
        assertThat(graph.states().stream().limit(2).mapToInt(state -> state.dims().getLast().extent()).sum()).isEqualTo(576);
    }

    @Test
    void kimiK2HasItsPublishedNumberOfParameters() {
        ModelGraph graph = graph(Map.ofEntries(Map.entry("model_type", "kimi_k2"), Map.entry("vocab_size", 163_840),
                Map.entry("hidden_size", 7168), Map.entry("intermediate_size", 18_432), Map.entry("moe_intermediate_size", 2048),
                Map.entry("num_hidden_layers", 61), Map.entry("num_attention_heads", 64), Map.entry("n_shared_experts", 1),
                Map.entry("n_routed_experts", 384), Map.entry("num_experts_per_tok", 8), Map.entry("n_group", 1),
                Map.entry("topk_group", 1), Map.entry("first_k_dense_replace", 1), Map.entry("q_lora_rank", 1536),
                Map.entry("kv_lora_rank", 512), Map.entry("qk_nope_head_dim", 128), Map.entry("qk_rope_head_dim", 64),
                Map.entry("v_head_dim", 128), Map.entry("max_position_embeddings", 131_072),
                Map.entry("quantization_config", fp8(128)),
                Map.entry("rope_theta", 50_000), Map.entry("rope_scaling", Map.of("type", "yarn", "factor", 32,
                        "original_max_position_embeddings", 4096, "beta_fast", 1, "beta_slow", 1, "mscale", 1.0, "mscale_all_dim",
                        1.0))));

        assertThat(parameters(graph)).isEqualTo(1_026_408_232_448L);
        assertThat(ops(graph, BuiltinOp.Rope.class))
                .allMatch(rope -> rope.frequencies().stream().allMatch(frequency -> frequency > 0 && frequency <= 1));
    }

    @Test
    void sparseAttentionIsRefusedWithTheReason() {
        assertRefused(Map.of("architectures", List.of("DeepseekV32ForCausalLM")), "DeepseekV32ForCausalLM", "Sparse Attention");
        assertRefused(Map.of("index_topk", 2048), "index_topk", "2048", "indexer");
    }

    @Test
    void valuesThatCannotBeBuiltAreNamedWithWhatWorks() {
        assertRefused(Map.of("attention_bias", true), "attention_bias", "false");
        assertRefused(Map.of("n_group", 3), "n_group", "3", "divisor", "8");
        assertRefused(Map.of("n_group", 8), "n_group", "8", "at least 2");
        assertRefused(Map.of("topk_group", 5), "topk_group", "5", "at most n_group [4]");
        assertRefused(Map.of("num_experts_per_tok", 5), "topk_group", "num_experts_per_tok [5]", "not 4");
        assertRefused(Map.of("num_experts_per_tok", 9), "num_experts_per_tok", "9", "n_routed_experts [8]");
        assertRefused(Map.of("topk_method", "greedy"), "topk_method", "greedy", "noaux_tc");
        assertRefused(Map.of("scoring_func", "softmax"), "scoring_func", "softmax", "sigmoid");
        assertRefused(Map.of("qk_rope_head_dim", 5), "qk_rope_head_dim", "5", "even");
        assertRefused(Map.of("routed_scaling_factor", 0), "routed_scaling_factor", "0", "positive");
        assertRefused(Map.of("first_k_dense_replace", -1), "first_k_dense_replace", "-1");
        assertRefused(Map.of("architectures", List.of("DeepseekV2ForCausalLM"), "topk_method", "noaux_tc"), "topk_method",
                "noaux_tc",
                "group_limited_greedy");
    }

    @Test
    void quantisedWeightsThatCannotBeReadAreNamedWithThoseThatCan() {
        assertRefused(Map.of("quantization_config", Map.of("quant_method", "bitsandbytes")), "bitsandbytes", "fp8",
                "mxfp4", "BF16");
        assertRefused(Map.of("quantization_config", fp8(64)), "weight_block_size", "[64, 64]", "[128, 128]");
        assertRefused(Map.of("quantization_config", Map.of("quant_method", "fp8")), "weight_block_size", "null", "[128, 128]");
    }

    @ParameterizedTest
    @ValueSource(strings = {"models/deepseek-v2-group", "models/deepseek-v2-lite", "models/deepseek-v3", "models/deepseek-v3-fp8",
        "models/deepseek-v3-fp8-ragged", "models/deepseek-v3-mtp-bf16", "demo-moe"})
    void usesEveryTensorOfAPublishedCheckpointButThoseThatPredictFurtherTokens(String name) {
        OracleModel model = Oracles.model(name);
        ModelGraph graph = new DeepseekFamily().graph(model.config());
        var stored = new TreeMap<>(model.storedShapes());
        stored.keySet().removeIf(tensor -> tensor.startsWith("model.layers." + graph.layers() + "."));
        stored.keySet().removeIf(tensor -> tensor.endsWith("_scale_inv"));

        assertThat(new DeepseekFamily().accepts(model.config())).isTrue();
        assertUsesAllOf(graph, stored);
    }

    private static void assertRefused(Map<String, Object> changes, String... words) {
        assertThatThrownBy(() -> graph(changes)).isInstanceOf(ModelConfigException.class).hasMessageContainingAll(words);
    }

    private static long parameters(ModelGraph graph) {
        return graph.parameters().stream().mapToLong(p -> p.dims().stream().mapToLong(Dim::extent).reduce(1, Math::multiplyExact))
                .sum();
    }

    private static Parameter parameter(ModelGraph graph, String name) {
        return graph.parameters().stream().filter(p -> p.name().equals(name)).findFirst().orElseThrow();
    }

    private static List<Integer> sparseLayers(ModelGraph graph) {
        return graph.nodes().stream().filter(node -> node.op() instanceof Route).map(Node::layer).toList();
    }

    private static <T extends Op> List<T> ops(ModelGraph graph, Class<T> kind) {
        return graph.nodes().stream().map(Node::op).filter(kind::isInstance).map(kind::cast).toList();
    }

    private static List<String> listing(ModelGraph graph, int layer) {
        return graph.nodes().stream().filter(node -> node.layer() == layer).map(Node::toString).toList();
    }

    private static Map<String, Object> fp8(int block) {
        return Map.of("quant_method", "fp8", "weight_block_size", List.of(block, block));
    }

    private static ModelGraph graph(Map<String, Object> changes) {
        return new DeepseekFamily().graph(with(changes));
    }

    private static ModelGraph v2(Map<String, Object> changes) {
        var values = new HashMap<>(changes);
        values.put("architectures", List.of("DeepseekV2ForCausalLM"));
        return graph(values);
    }

    private static ModelConfig with(Map<String, Object> changes) {
        var values = new HashMap<>(SMALL);
        values.putAll(changes);
        return new ModelConfig("config.json", values);
    }
}
