package org.maniple.checkpoint.gguf;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.maniple.api.checkpoint.CheckpointException;

/**
 * Which tensor of a file is which of a published checkpoint. Names of both are without {@code .weight} here; those of blocks are relative to
 * {@code blk.<i>.} and {@code model.layers.<i>.}. Tensors that nothing here knows are left out.
 */
final class TensorNames {

    private static final Pattern BLOCK = Pattern.compile("blk\\.(\\d{1,6})\\.(.+)");
    private static final Pattern ONE_EXPERT = Pattern.compile("(ffn_(?:gate|up|down))\\.(\\d{1,6})");
    private static final String WEIGHT = ".weight";
    private static final int MAX_EXPERTS = 16_384;
    private static final Map<String, String> OUTSIDE = Map.of("token_embd", "model.embed_tokens", "output_norm", "model.norm",
            "output", "lm_head");

    private final Map<String, String> inBlock = new HashMap<>(Map.ofEntries(Map.entry("attn_norm", "input_layernorm"),
            Map.entry("attn_q", "self_attn.q_proj"), Map.entry("attn_k", "self_attn.k_proj"),
            Map.entry("attn_v", "self_attn.v_proj"), Map.entry("attn_output", "self_attn.o_proj"),
            Map.entry("attn_q_norm", "self_attn.q_norm"), Map.entry("attn_k_norm", "self_attn.k_norm"),
            Map.entry("ffn_norm", "post_attention_layernorm"), Map.entry("ffn_gate", "mlp.gate_proj"),
            Map.entry("ffn_up", "mlp.up_proj"), Map.entry("ffn_down", "mlp.down_proj")));
    /** Those that a file has stacked, with {@code {}} in place of the expert's number. */
    private final Map<String, String> experts = new HashMap<>();

    /** A tensor of blocks. */
    TensorNames with(String file, String published) {
        inBlock.put(file, published);
        return this;
    }

    /** The router and the experts of a mixture. */
    TensorNames withExperts(String router, String gate, String up, String down) {
        inBlock.put("ffn_gate_inp", router);
        experts.put("ffn_gate_exps", gate);
        experts.put("ffn_up_exps", up);
        experts.put("ffn_down_exps", down);
        return this;
    }

    /** Those that most families have. */
    TensorNames withUsualExperts() {
        return withExperts("mlp.gate", "mlp.experts.{}.gate_proj", "mlp.experts.{}.up_proj", "mlp.experts.{}.down_proj");
    }

    /** The tensors of a model by their published names. */
    Map<String, TensorPart> of(GgufModel model) {
        var parts = new LinkedHashMap<String, TensorPart>();
        model.tensors().forEach((name, placed) -> add(name, placed, parts));
        return parts;
    }

    private void add(String name, GgufModel.Placed placed, Map<String, TensorPart> parts) {
        Matcher block = BLOCK.matcher(name);
        if (!block.matches()) {
            String known = OUTSIDE.get(stem(name));
            if (known != null) {
                parts.put(known + kind(name), TensorPart.whole(placed));
            }
            return;
        }
        String prefix = "model.layers." + Integer.parseInt(block.group(1)) + ".";
        String own = block.group(2);
        String stem = stem(own);
        Matcher single = ONE_EXPERT.matcher(stem);
        String alone = single.matches() ? experts.get(single.group(1) + "_exps") : null;
        String stacked = experts.get(stem);
        if (inBlock.containsKey(own)) {
            parts.put(prefix + inBlock.get(own), TensorPart.whole(placed));
        } else if (alone != null) {
            parts.put(prefix + expert(alone, Long.parseLong(single.group(2))) + kind(own),
                    TensorPart.whole(placed));
        } else if (stacked != null && own.endsWith(WEIGHT)) {
            stack(name, placed, prefix + stacked, parts);
        } else if (inBlock.containsKey(stem)) {
            boolean row = stem.equals("ffn_gate_inp_shexp");
            parts.put(prefix + inBlock.get(stem) + kind(own), row ? TensorPart.row(placed) : TensorPart.whole(placed));
        }
    }

    private static void stack(String name, GgufModel.Placed placed, String pattern, Map<String, TensorPart> parts) {
        if (placed.tensor().shape().size() != 3 || placed.tensor().shape().getFirst() > MAX_EXPERTS) {
            throw new CheckpointException(placed.file().path() + ": tensor [" + Shown.name(name) + "] has shape "
                    + placed.tensor().shape() + "; at most " + MAX_EXPERTS
                    + " experts are stacked, in three dimensions");
        }
        for (long expert = 0; expert < placed.tensor().shape().getFirst(); expert++) {
            parts.put(expert(pattern, expert) + WEIGHT, TensorPart.of(placed, expert));
        }
    }

    private static String expert(String pattern, long number) {
        return pattern.replace("{}", Long.toString(number));
    }

    private static String stem(String name) {
        return name.substring(0, name.length() - kind(name).length());
    }

    private static String kind(String name) {
        return name.endsWith(WEIGHT) ? WEIGHT : name.endsWith(".bias") ? ".bias" : "";
    }
}
