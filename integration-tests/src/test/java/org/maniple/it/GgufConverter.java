package org.maniple.it;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.checkpoint.StoredTensor;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.tensor.DType;
import org.maniple.checkpoint.safetensors.SafetensorsFormat;

/**
 * Turns published checkpoints into GGUF files with the names, the order of rows and the metadata of llama.cpp's converters. Written from the formats'
 * descriptions, and not from the plugin that reads them.
 */
final class GgufConverter {

    private static final Map<String, String> NAMES = new LinkedHashMap<>();

    static {
        NAMES.put("model.embed_tokens.", "token_embd.");
        NAMES.put("model.norm.", "output_norm.");
        NAMES.put("lm_head.", "output.");
        NAMES.put("input_layernorm.", "attn_norm.");
        NAMES.put("self_attn.q_proj.", "attn_q.");
        NAMES.put("self_attn.k_proj.", "attn_k.");
        NAMES.put("self_attn.v_proj.", "attn_v.");
        NAMES.put("self_attn.o_proj.", "attn_output.");
        NAMES.put("self_attn.q_norm.", "attn_q_norm.");
        NAMES.put("self_attn.k_norm.", "attn_k_norm.");
        NAMES.put("self_attn.q_a_proj.", "attn_q_a.");
        NAMES.put("self_attn.q_a_layernorm.", "attn_q_a_norm.");
        NAMES.put("self_attn.q_b_proj.", "attn_q_b.");
        NAMES.put("self_attn.kv_a_proj_with_mqa.", "attn_kv_a_mqa.");
        NAMES.put("self_attn.kv_a_layernorm.", "attn_kv_a_norm.");
        NAMES.put("self_attn.kv_b_proj.", "attn_kv_b.");
        NAMES.put("self_attn.sinks", "attn_sinks.weight");
        NAMES.put("mlp.gate_proj.", "ffn_gate.");
        NAMES.put("mlp.up_proj.", "ffn_up.");
        NAMES.put("mlp.down_proj.", "ffn_down.");
        NAMES.put("mlp.gate.e_score_correction_bias", "exp_probs_b.bias");
        NAMES.put("mlp.gate.", "ffn_gate_inp.");
        NAMES.put("mlp.router.", "ffn_gate_inp.");
        NAMES.put("block_sparse_moe.gate.", "ffn_gate_inp.");
        NAMES.put("block_sparse_moe.router.layer.", "ffn_gate_inp.");
        for (String shared : List.of("mlp.shared_expert.", "mlp.shared_experts.")) {
            NAMES.put(shared + "gate_proj.", "ffn_gate_shexp.");
            NAMES.put(shared + "up_proj.", "ffn_up_shexp.");
            NAMES.put(shared + "down_proj.", "ffn_down_shexp.");
        }
    }

    private static final Map<String, String> EXPERTS = Map.of("gate_proj", "gate", "up_proj", "up", "down_proj", "down", "w1",
            "gate",
            "w3", "up", "w2", "down");

    private final Checkpoint source;
    private final ModelConfig config;
    private final String architecture;
    private final DType type;
    private final boolean splitLatentMaps;
    private final GgufWriter out = new GgufWriter();

    private GgufConverter(Checkpoint source, ModelConfig config, DType type, boolean splitLatentMaps) {
        this.source = source;
        this.config = config;
        this.type = type;
        this.splitLatentMaps = splitLatentMaps;
        this.architecture = switch (config.architecture()) {
            case "LlamaForCausalLM", "MistralForCausalLM", "MixtralForCausalLM" -> "llama";
            case "Qwen2ForCausalLM" -> "qwen2";
            case "Qwen2MoeForCausalLM" -> "qwen2moe";
            case "Qwen3ForCausalLM" -> "qwen3";
            case "Qwen3MoeForCausalLM" -> "qwen3moe";
            case "DeepseekV2ForCausalLM", "DeepseekV3ForCausalLM" -> "deepseek2";
            case "Gemma3ForCausalLM" -> "gemma3";
            case "GptOssForCausalLM" -> "gpt-oss";
            case "GraniteForCausalLM" -> "granite";
            case "GraniteMoeForCausalLM" -> "granitemoe";
            case "Glm4MoeForCausalLM" -> "glm4moe";
            case "OlmoeForCausalLM" -> "olmoe";
            default -> throw new IllegalArgumentException(config.architecture());
        };
    }

    /**
     * Converts.
     *
     * @param type of matrices whose rows are whole blocks; those that choose experts stay floats
     * @param splitLatentMaps whether the maps of latents to keys and values are written apart, as newer converters do
     * @return the file
     */
    static GgufWriter convert(Path model, DType type, boolean splitLatentMaps) {
        try (Checkpoint source = new SafetensorsFormat().open(model)) {
            var converter = new GgufConverter(source, VirtualUnit.config(model), type, splitLatentMaps);
            converter.metadata();
            converter.tensors();
            return converter.out;
        }
    }

    private void metadata() {
        out.value("general.architecture", architecture);
        put("block_count", config.integer("num_hidden_layers"));
        put("context_length", config.integer("max_position_embeddings"));
        put("embedding_length", config.integer("hidden_size"));
        put("feed_forward_length", config.integer("intermediate_size"));
        put("attention.head_count", config.integer("num_attention_heads"));
        put("attention.layer_norm_rms_epsilon", (float) config.number("rms_norm_eps"));
        put("rope.freq_base", (float) config.object("rope_parameters").filter(r -> r.has("rope_theta")).orElse(config)
                .number("rope_theta", 10_000));
        if (architecture.equals("deepseek2")) {
            latents();
        } else {
            int length = config.integer("head_dim", config.integer("hidden_size") / config.integer("num_attention_heads"));
            put("attention.head_count_kv", config.integer("num_key_value_heads", config.integer("num_attention_heads")));
            put("attention.key_length", length);
            put("attention.value_length", length);
            put("rope.dimension_count", (int) (length * config.number("partial_rotary_factor", 1)));
        }
        config.object("rope_scaling").ifPresent(this::scaling);
        boolean windowed = config.flag("use_sliding_window", !architecture.startsWith("qwen"));
        copy(windowed ? "sliding_window" : "", "attention.sliding_window");
        copy("sliding_window_pattern", "attention.sliding_window_pattern");
        factor("rope_local_base_freq", "rope.freq_base_swa");
        factor("logits_scaling", "logit_scale");
        factor("residual_multiplier", "residual_scale");
        factor("embedding_multiplier", "embedding_scale");
        factor("attention_multiplier", "attention.scale");
        if (config.has("query_pre_attn_scalar")) {
            put("attention.scale", (float) (1 / Math.sqrt(config.number("query_pre_attn_scalar"))));
        }
        mixture();
    }

    private void mixture() {
        List.of("num_experts", "num_local_experts", "n_routed_experts").forEach(key -> copy(key, "expert_count"));
        copy("num_experts_per_tok", "expert_used_count");
        copy("moe_intermediate_size", "expert_feed_forward_length");
        copy("shared_expert_intermediate_size", "expert_shared_feed_forward_length");
        copy("n_shared_experts", "expert_shared_count");
        copy("first_k_dense_replace", "leading_dense_block_count");
        factor("routed_scaling_factor", "expert_weights_scale");
        copy("n_group", "expert_group_count");
        copy("topk_group", "expert_group_used_count");
        if (config.has("norm_topk_prob")) {
            put("expert_weights_norm", config.flag("norm_topk_prob", false));
        }
        if (config.has("n_routed_experts")) {
            put("expert_gating_func", config.architecture().equals("DeepseekV2ForCausalLM") ? 1 : 2);
        }
    }

    private void latents() {
        int plain = config.integer("qk_nope_head_dim");
        int turned = config.integer("qk_rope_head_dim");
        int latent = config.integer("kv_lora_rank");
        copy("q_lora_rank", "attention.q_lora_rank");
        put("attention.kv_lora_rank", latent);
        put("rope.dimension_count", turned);
        put("attention.head_count_kv", splitLatentMaps ? 1 : config.integer("num_attention_heads"));
        put("attention.key_length", splitLatentMaps ? latent + turned : plain + turned);
        put("attention.value_length", splitLatentMaps ? latent : config.integer("v_head_dim"));
        if (splitLatentMaps) {
            put("attention.key_length_mla", plain + turned);
            put("attention.value_length_mla", config.integer("v_head_dim"));
        }
    }

    private void scaling(ModelConfig scaling) {
        String kind = scaling.text("rope_type").or(() -> scaling.text("type")).orElse("default");
        if (kind.equals("llama3")) {
            out.tensor("rope_freqs.weight", llama3(scaling), DType.F32, config.integer("head_dim") / 2);
        } else if (kind.equals("yarn")) {
            put("rope.scaling.type", "yarn");
            put("rope.scaling.factor", (float) scaling.number("factor"));
            put("rope.scaling.original_context_length", scaling.integer("original_max_position_embeddings"));
            if (scaling.has("mscale_all_dim")) {
                put("rope.scaling.yarn_log_multiplier", (float) (0.1 * scaling.number("mscale_all_dim")));
            }
        }
    }

    /** What each angle is divided by: long waves by the factor, short ones by nothing. */
    private float[] llama3(ModelConfig scaling) {
        int dim = config.integer("head_dim");
        float[] divisors = new float[dim / 2];
        double original = scaling.number("original_max_position_embeddings");
        double low = scaling.number("low_freq_factor");
        double high = scaling.number("high_freq_factor");
        double factor = scaling.number("factor");
        for (int i = 0; i < divisors.length; i++) {
            double wave = 2 * Math.PI * Math.pow(config.number("rope_theta"), 2.0 * i / dim);
            double smooth = Math.clamp((original / wave - low) / (high - low), 0.0, 1.0);
            divisors[i] = (float) (1 / ((1 - smooth) / factor + smooth));
        }
        return divisors;
    }

    private void tensors() {
        var stacks = new LinkedHashMap<String, List<float[]>>();
        var shapes = new LinkedHashMap<String, List<Long>>();
        int layers = config.integer("num_hidden_layers");
        for (String name : source.names().stream().sorted((a, b) -> Long.compare(order(a), order(b))).toList()) {
            StoredTensor tensor = source.tensor(name).orElseThrow();
            String own = name.replaceFirst("^model\\.layers\\.\\d+\\.", "");
            String block = own.equals(name) ? "" : "blk." + name.split("\\.")[2] + ".";
            if (!block.isEmpty() && Integer.parseInt(name.split("\\.")[2]) >= layers) {
                continue;
            }
            float[] elements = read(tensor);
            if (own.matches(".*experts\\.\\d+\\..*")) {
                String part = own.replaceFirst(".*experts\\.\\d+\\.", "").replace(".weight", "");
                String stack = block + "ffn_" + EXPERTS.get(part) + "_exps.weight";
                stacks.computeIfAbsent(stack, s -> new ArrayList<>()).add(elements);
                shapes.put(stack, tensor.shape());
            } else {
                one(block, own, elements, tensor.shape().stream().mapToLong(Long::longValue).toArray());
            }
        }
        stacks.forEach((name, parts) -> {
            List<Long> shape = shapes.get(name);
            out.tensor(name, joined(parts), type, parts.size(), shape.get(0), shape.get(1));
        });
    }

    /** Experts in the order of their numbers. */
    private static long order(String name) {
        String number = name.replaceFirst(".*experts\\.(\\d+)\\..*", "$1");
        return number.equals(name) ? -1 : Long.parseLong(number);
    }

    private void one(String block, String own, float[] elements, long[] shape) {
        if (architecture.equals("gpt-oss") && own.startsWith("mlp.experts.")) {
            gptOssExperts(block, own, elements, shape);
        } else if (own.endsWith("input_linear.weight")) {
            out.tensor(block + "ffn_gate_exps.weight", halves(elements, shape, 0), type, shape[0], shape[1] / 2, shape[2]);
            out.tensor(block + "ffn_up_exps.weight", halves(elements, shape, 1), type, shape[0], shape[1] / 2, shape[2]);
        } else if (own.endsWith("output_linear.weight")) {
            out.tensor(block + "ffn_down_exps.weight", elements, type, shape);
        } else if (own.equals("mlp.shared_expert_gate.weight")) {
            out.tensor(block + "ffn_gate_inp_shexp.weight", elements, DType.F32, shape[1]);
        } else if (own.equals("self_attn.kv_b_proj.weight") && splitLatentMaps) {
            latentMaps(block, elements, shape[1]);
        } else {
            String name = name(own);
            boolean floats = own.contains("norm") || name.startsWith("ffn_gate_inp.");
            out.tensor(block + name, changed(own, elements), floats ? DType.F32 : type, shape);
        }
    }

    private String name(String own) {
        boolean gemma = architecture.equals("gemma3");
        if (own.startsWith("post_attention_layernorm.")) {
            boolean named = gemma || List.of("gpt-oss", "glm4moe").contains(architecture);
            return named ? "post_attention_norm.weight" : "ffn_norm.weight";
        }
        if (own.startsWith("pre_feedforward_layernorm.")) {
            return "ffn_norm.weight";
        }
        if (own.startsWith("post_feedforward_layernorm.")) {
            return "post_ffw_norm.weight";
        }
        return NAMES.entrySet().stream().filter(entry -> own.startsWith(entry.getKey())).findFirst()
                .map(entry -> entry.getValue() + own.substring(entry.getKey().length()))
                .orElseThrow(() -> new IllegalArgumentException(own));
    }

    private float[] changed(String own, float[] elements) {
        boolean pairs = List.of("llama", "granite", "granitemoe").contains(architecture);
        if (pairs && own.startsWith("self_attn.q_proj.")) {
            return interleaved(elements, config.integer("num_attention_heads"));
        }
        if (pairs && own.startsWith("self_attn.k_proj.")) {
            return interleaved(elements, config.integer("num_key_value_heads", config.integer("num_attention_heads")));
        }
        if (architecture.equals("gemma3") && own.contains("norm.")) {
            float[] more = elements.clone();
            for (int i = 0; i < more.length; i++) {
                more[i] += 1;
            }
            return more;
        }
        return elements;
    }

    /** Rows of each head: the first of one half, the first of the other, the second of one half, … */
    private float[] interleaved(float[] elements, int heads) {
        int rows = config.integer("head_dim", config.integer("hidden_size") / config.integer("num_attention_heads"));
        int width = elements.length / heads / rows;
        float[] changed = new float[elements.length];
        for (int head = 0; head < heads; head++) {
            for (int row = 0; row < rows; row++) {
                int to = row < rows / 2 ? 2 * row : 2 * (row - rows / 2) + 1;
                System.arraycopy(elements, (head * rows + row) * width, changed, (head * rows + to) * width, width);
            }
        }
        return changed;
    }

    private static float[] halves(float[] elements, long[] shape, int half) {
        int part = (int) (shape[1] / 2 * shape[2]);
        float[] taken = new float[(int) shape[0] * part];
        for (int expert = 0; expert < shape[0]; expert++) {
            System.arraycopy(elements, (2 * expert + half) * part, taken, expert * part, part);
        }
        return taken;
    }

    private void gptOssExperts(String block, String own, float[] elements, long[] shape) {
        boolean bias = own.endsWith("_bias");
        int experts = (int) shape[0];
        int inner = bias ? 1 : (int) shape[1];
        int columns = (int) shape[shape.length - 1];
        if (own.contains("down_proj")) {
            gptOss(block + "ffn_down_exps", bias, elements, experts, inner, columns, 0, 1);
        } else {
            gptOss(block + "ffn_gate_exps", bias, elements, experts, inner, columns, 0, 2);
            gptOss(block + "ffn_up_exps", bias, elements, experts, inner, columns, 1, 2);
        }
    }

    /** Every so many columns become the rows. */
    private void gptOss(String name, boolean bias, float[] elements, int experts, int inner, int columns, int from, int step) {
        int outputs = columns / step;
        float[] turned = new float[experts * outputs * inner];
        for (int expert = 0; expert < experts; expert++) {
            for (int output = 0; output < outputs; output++) {
                for (int i = 0; i < inner; i++) {
                    turned[(expert * outputs + output) * inner + i] = elements[(expert * inner + i) * columns + from
                            + step * output];
                }
            }
        }
        if (bias) {
            out.tensor(name + ".bias", turned, DType.F32, experts, outputs);
        } else {
            out.tensor(name + ".weight", turned, type, experts, outputs, inner);
        }
    }

    /** The map to keys is written with the latent before the elements. */
    private void latentMaps(String block, float[] elements, long latents) {
        int heads = config.integer("num_attention_heads");
        int plain = config.integer("qk_nope_head_dim");
        int values = config.integer("v_head_dim");
        int latent = (int) latents;
        float[] keys = new float[heads * latent * plain];
        float[] own = new float[heads * values * latent];
        for (int head = 0; head < heads; head++) {
            int start = head * (plain + values) * latent;
            for (int row = 0; row < plain; row++) {
                for (int i = 0; i < latent; i++) {
                    keys[(head * latent + i) * plain + row] = elements[start + row * latent + i];
                }
            }
            System.arraycopy(elements, start + plain * latent, own, head * values * latent, values * latent);
        }
        out.tensor(block + "attn_k_b.weight", keys, type, heads, latent, plain);
        out.tensor(block + "attn_v_b.weight", own, type, heads, values, latent);
    }

    private static float[] joined(List<float[]> parts) {
        float[] all = new float[parts.size() * parts.getFirst().length];
        for (int i = 0; i < parts.size(); i++) {
            System.arraycopy(parts.get(i), 0, all, i * parts.get(i).length, parts.get(i).length);
        }
        return all;
    }

    private float[] read(StoredTensor tensor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = source.map(tensor.name(), 0, tensor.bytes(), arena);
            float[] elements = new float[(int) (tensor.bytes() / tensor.dtype().bytes())];
            for (int i = 0; i < elements.length; i++) {
                elements[i] = tensor.dtype() == DType.F32
                        ? memory.get(JAVA_FLOAT_UNALIGNED, 4L * i)
                        : Float.intBitsToFloat(memory.get(JAVA_SHORT_UNALIGNED, 2L * i) << 16);
            }
            return elements;
        }
    }

    private void put(String key, Object value) {
        out.value(architecture + "." + key, value);
    }

    private void copy(String published, String key) {
        if (config.has(published)) {
            put(key, config.integer(published));
        }
    }

    private void factor(String published, String key) {
        if (config.has(published)) {
            put(key, (float) config.number(published));
        }
    }
}
