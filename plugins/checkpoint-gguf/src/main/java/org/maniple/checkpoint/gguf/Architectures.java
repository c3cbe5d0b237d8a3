package org.maniple.checkpoint.gguf;

import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.maniple.api.checkpoint.CheckpointException;

/**
 * The architectures whose files can be read, and what published models they are. Sources: the GGUF specification, and the names that llama.cpp's
 * converters write.
 */
final class Architectures {

    private static final Map<String, Function<ModelReader, MappedModel>> KNOWN = new TreeMap<>(Map.ofEntries(
            Map.entry("llama", Architectures::llama), Map.entry("qwen2", reader -> dense(reader, "Qwen2ForCausalLM")),
            Map.entry("qwen3", reader -> dense(reader, "Qwen3ForCausalLM")), Map.entry("qwen2moe", Architectures::qwen2moe),
            Map.entry("qwen3moe", Architectures::qwen3moe), Map.entry("deepseek2", Architectures::deepseek2),
            Map.entry("gemma3", Architectures::gemma3), Map.entry("gpt-oss", Architectures::gptOss),
            Map.entry("granite", Architectures::granite), Map.entry("granitemoe", Architectures::graniteMoe),
            Map.entry("glm4moe", Architectures::glm4moe), Map.entry("olmoe", Architectures::olmoe)));

    private static final String FIRST = "blk.0.";

    private Architectures() {}

    /**
     * Reads a model's description.
     *
     * @throws CheckpointException if its architecture is not known, or a value is missing or makes no sense
     */
    static MappedModel of(GgufModel model) {
        String name = model.metadata().requiredText("general.architecture");
        Function<ModelReader, MappedModel> mapping = KNOWN.get(name);
        if (mapping == null) {
            throw model.metadata().wrong("general.architecture", "one of " + KNOWN.keySet());
        }
        return mapping.apply(new ModelReader(model, name));
    }

    private static ModelReader usual(ModelReader reader, String architecture) {
        return reader.decoder(architecture).alikeHeads().rope().put("attention_bias", reader.has(FIRST + "attn_q.bias"));
    }

    private static MappedModel dense(ModelReader reader, String architecture) {
        return usual(reader, architecture).named(new TensorNames());
    }

    private static ModelReader experts(ModelReader reader, String countKey, String columnsKey) {
        reader.put(countKey, reader.integer("expert_count")).put("num_experts_per_tok", reader.integer("expert_used_count"));
        return reader.put(columnsKey,
                reader.optional("expert_feed_forward_length").orElseGet(() -> reader.integer("feed_forward_length")));
    }

    /** Whether the weights of a token's experts sum to 1; files mostly say so only where the architecture leaves it open. */
    private static boolean normalised(ModelReader reader, boolean usual) {
        return reader.metadata().flag(reader.key("expert_weights_norm")).orElse(usual);
    }

    /** Also Mistral and Mixtral. Rows of queries and keys are in the order of interleaved pairs. */
    private static MappedModel llama(ModelReader reader) {
        boolean mixture = reader.optional("expert_count").orElse(0) > 0;
        int window = reader.optional("attention.sliding_window").orElse(0);
        usual(reader, mixture ? "MixtralForCausalLM" : window > 0 ? "MistralForCausalLM" : "LlamaForCausalLM")
                .put("rope_interleave", true).put("mlp_bias", reader.has(FIRST + "ffn_gate.bias"));
        if (window > 0) {
            reader.put("sliding_window", window);
        }
        if (!mixture) {
            return reader.named(new TensorNames());
        }
        return experts(reader, "num_local_experts", "intermediate_size").named(new TensorNames().withExperts(
                "block_sparse_moe.gate", "block_sparse_moe.experts.{}.w1", "block_sparse_moe.experts.{}.w3",
                "block_sparse_moe.experts.{}.w2"));
    }

    private static MappedModel qwen2moe(ModelReader reader) {
        usual(reader, "Qwen2MoeForCausalLM").put("qkv_bias", reader.has(FIRST + "attn_q.bias"))
                .put("norm_topk_prob", normalised(reader, false))
                .put("mlp_only_layers", reader.without("ffn_gate_inp.weight"));
        reader.put("shared_expert_intermediate_size", reader.optional("expert_shared_feed_forward_length").map(Integer::longValue)
                .orElseGet(
                        () -> reader.model().tensor(FIRST + "ffn_gate_shexp.weight").map(t -> t.shape().getFirst()).orElse(0L)));
        return experts(reader, "num_experts", "moe_intermediate_size").named(new TensorNames().withUsualExperts()
                .with("ffn_gate_shexp", "mlp.shared_expert.gate_proj").with("ffn_up_shexp", "mlp.shared_expert.up_proj")
                .with("ffn_down_shexp", "mlp.shared_expert.down_proj").with("ffn_gate_inp_shexp", "mlp.shared_expert_gate"));
    }

    private static MappedModel qwen3moe(ModelReader reader) {
        usual(reader, "Qwen3MoeForCausalLM").put("norm_topk_prob", normalised(reader, true)).put("mlp_only_layers",
                reader.without("ffn_gate_inp.weight"));
        return experts(reader, "num_experts", "moe_intermediate_size").named(new TensorNames().withUsualExperts());
    }

    private static MappedModel olmoe(ModelReader reader) {
        usual(reader, "OlmoeForCausalLM").put("norm_topk_prob", normalised(reader, false)).copy("attention.clamp_kqv",
                "clip_qkv");
        return experts(reader, "num_experts", "intermediate_size").named(new TensorNames().withUsualExperts());
    }

    /** Weights of norms have the 1 in them that published ones lack. */
    private static MappedModel gemma3(ModelReader reader) {
        usual(reader, "Gemma3ForCausalLM").put("norm_weights_with_one", true)
                .put("sliding_window", reader.integer("attention.sliding_window"))
                .copy("attention.sliding_window_pattern", "sliding_window_pattern")
                .copy("final_logit_softcapping", "final_logit_softcapping").copy("rope.freq_base_swa", "rope_local_base_freq")
                .put("rope_theta", reader.number("rope.freq_base").orElse(1_000_000.0));
        int length = reader.optional("attention.key_length").orElse(256);
        boolean largest = reader.integer("block_count") == 62;
        double scalar = largest ? (double) reader.integer("embedding_length") / reader.integer("attention.head_count") : length;
        double scale = reader.number("attention.scale").orElse(0.0);
        return reader.put("query_pre_attn_scalar", scale > 0 ? 1 / (scale * scale) : scalar)
                .named(new TensorNames().with("post_attention_norm", "post_attention_layernorm")
                        .with("ffn_norm", "pre_feedforward_layernorm").with("post_ffw_norm", "post_feedforward_layernorm"));
    }

    private static MappedModel gptOss(ModelReader reader) {
        // The published model does not round the pairs between which frequencies change.
        usual(reader, "GptOssForCausalLM").scaling("truncate", false).put("separate_experts", true)
                .put("sliding_window", reader.integer("attention.sliding_window"));
        return experts(reader, "num_local_experts", "intermediate_size").named(new TensorNames()
                .with("attn_sinks.weight", "self_attn.sinks").with("post_attention_norm", "post_attention_layernorm")
                .withExperts("mlp.router", "mlp.experts.{}.gate_proj", "mlp.experts.{}.up_proj", "mlp.experts.{}.down_proj")
                .with("ffn_gate_exps.bias", "mlp.experts.gate_proj.bias").with("ffn_up_exps.bias", "mlp.experts.up_proj.bias")
                .with("ffn_down_exps.bias", "mlp.experts.down_proj.bias"));
    }

    private static ModelReader graniteFactors(ModelReader reader, String architecture) {
        return usual(reader, architecture).put("rope_interleave", true).copy("logit_scale", "logits_scaling")
                .copy("residual_scale", "residual_multiplier").copy("embedding_scale", "embedding_multiplier")
                .copy("attention.scale", "attention_multiplier");
    }

    private static MappedModel granite(ModelReader reader) {
        return graniteFactors(reader, "GraniteForCausalLM").put("mlp_bias", reader.has(FIRST + "ffn_gate.bias"))
                .named(new TensorNames());
    }

    private static MappedModel graniteMoe(ModelReader reader) {
        if (reader.has(FIRST + "ffn_gate_shexp.weight")) {
            throw new CheckpointException(reader.metadata().file()
                    + ": is a Granite mixture with shared experts, which is not supported; those without are");
        }
        graniteFactors(reader, "GraniteMoeForCausalLM").put("separate_experts", true);
        return experts(reader, "num_local_experts", "intermediate_size").named(new TensorNames().withExperts(
                "block_sparse_moe.router.layer", "block_sparse_moe.experts.{}.gate_proj",
                "block_sparse_moe.experts.{}.up_proj", "block_sparse_moe.experts.{}.down_proj"));
    }

    private static TensorNames sharedExperts(TensorNames names) {
        return names.withUsualExperts().with("ffn_gate_shexp", "mlp.shared_experts.gate_proj")
                .with("ffn_up_shexp", "mlp.shared_experts.up_proj").with("ffn_down_shexp", "mlp.shared_experts.down_proj")
                .with("exp_probs_b.bias", "mlp.gate.e_score_correction_bias")
                .with("exp_probs_b", "mlp.gate.e_score_correction_bias");
    }

    /** Mixtures after DeepSeek: groups of experts, shared ones, dense layers before. */
    private static ModelReader grouped(ModelReader reader) {
        experts(reader, "n_routed_experts", "moe_intermediate_size")
                .put("n_shared_experts", reader.optional("expert_shared_count").orElse(0))
                .put("first_k_dense_replace", reader.optional("leading_dense_block_count").orElse(0))
                .put("norm_topk_prob", normalised(reader, false))
                .put("routed_scaling_factor", reader.number("expert_weights_scale").filter(scale -> scale != 0).orElse(1.0));
        reader.optional("expert_group_count").filter(count -> count > 1).ifPresent(count -> reader.put("n_group", count)
                .put("topk_group", reader.integer("expert_group_used_count")));
        return reader;
    }

    private static MappedModel glm4moe(ModelReader reader) {
        grouped(usual(reader, "Glm4MoeForCausalLM")).put("use_qk_norm", reader.has(FIRST + "attn_q_norm.weight"));
        return reader.named(sharedExperts(new TensorNames()).with("post_attention_norm", "post_attention_layernorm"));
    }

    /** DeepSeek-V2 and V3, Kimi-K2. Newer files have the maps of latents to keys (transposed) and values apart. */
    private static MappedModel deepseek2(ModelReader reader) {
        int gating = reader.optional("expert_gating_func").orElse(0);
        boolean sigmoid = gating == 2;
        if (gating > 2) {
            throw reader.unsupported("expert_gating_func", "1 (softmax) or 2 (sigmoid)");
        }
        boolean split = reader.has(FIRST + "attn_k_b.weight");
        int turned = reader.integer("rope.dimension_count");
        int keys = reader.optional("attention.key_length_mla").orElseGet(() -> reader.integer("attention.key_length"));
        grouped(reader.decoder(sigmoid ? "DeepseekV3ForCausalLM" : "DeepseekV2ForCausalLM").rope())
                .put("num_key_value_heads", reader.integer("attention.head_count"))
                .put("kv_lora_rank", reader.integer("attention.kv_lora_rank")).put("qk_rope_head_dim", turned)
                .put("qk_nope_head_dim", keys - turned)
                .put("v_head_dim",
                        reader.optional("attention.value_length_mla").orElseGet(() -> reader.integer("attention.value_length")))
                .put("separate_kv_b", split);
        reader.optional("attention.q_lora_rank").filter(rank -> rank > 0).ifPresent(rank -> reader.put("q_lora_rank", rank));
        if (!sigmoid && reader.optional("expert_group_count").orElse(1) > 1) {
            reader.put("topk_method", "group_limited_greedy");
        }
        return reader.named(sharedExperts(new TensorNames()).with("attn_q_a", "self_attn.q_a_proj")
                .with("attn_q_a_norm", "self_attn.q_a_layernorm").with("attn_q_b", "self_attn.q_b_proj")
                .with("attn_kv_a_mqa", "self_attn.kv_a_proj_with_mqa").with("attn_kv_a_norm", "self_attn.kv_a_layernorm")
                .with("attn_kv_b", "self_attn.kv_b_proj").with("attn_k_b", "self_attn.k_b_proj")
                .with("attn_v_b", "self_attn.v_b_proj"));
    }
}
