package org.maniple.model.qwen;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntFunction;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Value;
import org.maniple.api.model.DecoderBlocks;
import org.maniple.api.model.DecoderBlocks.Attention;
import org.maniple.api.model.DecoderBlocks.FeedForward;
import org.maniple.api.model.DecoderShape;
import org.maniple.api.model.LayerTypes;
import org.maniple.api.model.ModelArchitecture;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.model.RopeFrequencies;

/**
 * Qwen2, Qwen2.5 and the dense Qwen3. Qwen2 has biases on queries, keys and values, and none after attention; Qwen3 has a norm on each
 * head's queries and keys instead.
 */
public final class QwenFamily implements ModelArchitecture {

    private static final String QWEN3 = "Qwen3ForCausalLM";
    private static final Set<String> ARCHITECTURES = Set.of("Qwen2ForCausalLM", QWEN3);

    /** What published implementations assume where {@code max_window_layers} is absent. */
    private static final int DEFAULT_MAX_WINDOW_LAYERS = 28;

    @Override
    public String name() {
        return "qwen";
    }

    @Override
    public boolean accepts(ModelConfig config) {
        return ARCHITECTURES.contains(config.architecture());
    }

    @Override
    public ModelGraph graph(ModelConfig config) {
        var shape = DecoderShape.of(config);
        boolean qwen3 = config.architecture().equals(QWEN3);
        boolean bias = qwen3 && config.flag("attention_bias", false);
        var rope = RopeFrequencies.of(config, shape.headDim());
        double scale = 1 / Math.sqrt(shape.headDim());
        var full = new Attention(!qwen3 || bias, bias, qwen3, rope, scale, 0);
        var windowed = new Attention(!qwen3 || bias, bias, qwen3, rope, scale, window(config));
        var feedForward = new FeedForward(DecoderBlocks.activation(config, "hidden_act", "silu"), false);
        List<String> types = LayerTypes.of(config, shape.layers(), windowFrom(config, shape));

        var blocks = new DecoderBlocks(name(), shape, 0);
        Value stream = blocks.embeddings("hidden.0");
        for (int layer = 0; layer < shape.layers(); layer++) {
            boolean sliding = types.get(layer).equals(LayerTypes.SLIDING);
            stream = blocks.block(layer, stream, sliding ? windowed : full, feedForward);
        }
        return blocks.head(stream, config.flag("tie_word_embeddings", false), Optional.empty());
    }

    /** The key {@code sliding_window} has a number in published configurations also where the window is switched off. */
    private static int window(ModelConfig config) {
        return config.flag("use_sliding_window", false) && config.has("sliding_window") ? config.extent("sliding_window") : 0;
    }

    private static IntFunction<String> windowFrom(ModelConfig config, DecoderShape shape) {
        int first = window(config) == 0 ? shape.layers() : config.integer("max_window_layers", DEFAULT_MAX_WINDOW_LAYERS);
        return layer -> layer >= first ? LayerTypes.SLIDING : LayerTypes.FULL;
    }
}
