package org.maniple.bench.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The files beside published safetensors weights: {@code config.json} and the tokenizer's. */
final class PublishedFiles {

    private final ModelShape shape;
    private final SyntheticVocabulary vocabulary;

    PublishedFiles(ModelShape shape, SyntheticVocabulary vocabulary) {
        this.shape = shape;
        this.vocabulary = vocabulary;
    }

    void write(Path folder, String dtype) throws IOException {
        Files.writeString(folder.resolve("config.json"), Json.of(config(dtype)));
        Files.writeString(folder.resolve("tokenizer.json"), Json.of(tokenizer()));
        Files.writeString(folder.resolve("tokenizer_config.json"),
                Json.of(Map.of("chat_template", SyntheticVocabulary.CHAT_TEMPLATE, "eos_token", "<|im_end|>", "bos_token",
                        "<|im_start|>")));
    }

    private Map<String, Object> config(String dtype) {
        var config = new LinkedHashMap<String, Object>();
        String kind = switch (shape.architecture()) {
            case "llama" -> "Llama";
            case "qwen3" -> "Qwen3";
            case "qwen3moe" -> "Qwen3Moe";
            default -> throw new IllegalArgumentException("no published name for " + shape.architecture());
        };
        config.put("architectures", List.of(kind + "ForCausalLM"));
        config.put("model_type", shape.experts() > 0 ? "qwen3_moe" : shape.architecture());
        config.put("vocab_size", shape.vocabulary());
        config.put("hidden_size", shape.hidden());
        config.put("num_hidden_layers", shape.layers());
        config.put("intermediate_size", shape.feedForward());
        config.put("num_attention_heads", shape.heads());
        config.put("num_key_value_heads", shape.keyValueHeads());
        config.put("head_dim", shape.headSize());
        config.put("max_position_embeddings", shape.positions());
        config.put("rope_theta", shape.ropeBase());
        config.put("rms_norm_eps", shape.norm());
        config.put("hidden_act", "silu");
        config.put("tie_word_embeddings", true);
        config.put("attention_bias", false);
        config.put("torch_dtype", dtype);
        config.put("bos_token_id", vocabulary.id("<|im_start|>"));
        config.put("eos_token_id", vocabulary.id("<|im_end|>"));
        if (shape.ropeScaled()) {
            config.put("rope_scaling",
                    Map.of("rope_type", "llama3", "factor", 32.0, "low_freq_factor", 1.0, "high_freq_factor", 4.0,
                            "original_max_position_embeddings", 8192));
        }
        if (shape.experts() > 0) {
            config.put("num_experts", shape.experts());
            config.put("num_experts_per_tok", shape.chosen());
            config.put("moe_intermediate_size", shape.feedForward());
            config.put("norm_topk_prob", true);
            config.put("decoder_sparse_step", 1);
            config.put("mlp_only_layers", List.of());
        }
        return config;
    }

    private Map<String, Object> tokenizer() {
        var ids = new LinkedHashMap<String, Object>();
        for (int id = 0; id < vocabulary.tokens().size(); id++) {
            ids.put(vocabulary.tokens().get(id), id);
        }
        var added = SyntheticVocabulary.CONTROLS.stream().map(control -> Map.of("id", (Object) vocabulary.id(control), "content",
                control, "single_word", false, "lstrip", false, "rstrip", false, "normalized", false, "special", true)).toList();
        var model = new LinkedHashMap<String, Object>();
        model.put("type", "BPE");
        model.put("vocab", ids);
        model.put("merges", vocabulary.merges());
        var tokenizer = new LinkedHashMap<String, Object>();
        tokenizer.put("version", "1.0");
        tokenizer.put("added_tokens", added);
        tokenizer.put("pre_tokenizer",
                Map.of("type", "ByteLevel", "add_prefix_space", false, "trim_offsets", true, "use_regex", true));
        tokenizer.put("decoder", Map.of("type", "ByteLevel", "add_prefix_space", true, "trim_offsets", true, "use_regex", true));
        tokenizer.put("model", model);
        return tokenizer;
    }
}
