package org.maniple.model.qwen;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.function.UnaryOperator;
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
 * Qwen2, Qwen2.5 and Qwen3, dense and with experts. Qwen2 has biases on queries, keys and values, and none after attention; Qwen3 has a norm
 * on each head's queries and keys instead.
 */
public final class QwenFamily implements ModelArchitecture {

    private static final String QWEN2_MOE = "Qwen2MoeForCausalLM";
    private static final String QWEN3 = "Qwen3ForCausalLM";
    private static final String QWEN3_MOE = "Qwen3MoeForCausalLM";
    private static final Set<String> ARCHITECTURES = Set.of("Qwen2ForCausalLM", QWEN2_MOE, QWEN3, QWEN3_MOE);

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
        Attention full = attention(config, shape, 0);
        Attention windowed = attention(config, shape, window(config));
        var dense = new FeedForward(DecoderBlocks.activation(config, "hidden_act", "silu"), false);
        List<String> types = LayerTypes.of(config, shape.layers(), windowFrom(config, shape));

        var blocks = new DecoderBlocks(name(), shape, 0);
        Optional<SparseLayers> sparse = sparse(config, shape, dense, blocks);
        Value stream = blocks.embeddings("hidden.0");
        for (int i = 0; i < shape.layers(); i++) {
            int layer = i;
            Attention attention = types.get(layer).equals(LayerTypes.SLIDING) ? windowed : full;
            UnaryOperator<Value> feedForward = sparse.isPresent() && sparse.get().has(layer)
                    ? in -> sparse.get().feedForward(layer, in)
                    : in -> blocks.feedForward(layer, in, dense);
            stream = blocks.block(layer, stream, in -> blocks.attention(layer, in, attention), feedForward);
        }
        return blocks.head(stream, config.flag("tie_word_embeddings", false), Optional.empty());
    }

    private static Attention attention(ModelConfig config, DecoderShape shape, int window) {
        boolean qwen3 = Set.of(QWEN3, QWEN3_MOE).contains(config.architecture());
        boolean inputBias = switch (config.architecture()) {
            case QWEN3, QWEN3_MOE -> config.flag("attention_bias", false);
            case QWEN2_MOE -> config.flag("qkv_bias", true);
            default -> true;
        };
        var rope = RopeFrequencies.of(config, shape.headDim());
        return new Attention(inputBias, qwen3 && inputBias, qwen3, rope, 1 / Math.sqrt(shape.headDim()), window);
    }

    private static Optional<SparseLayers> sparse(ModelConfig config, DecoderShape shape, FeedForward dense,
            DecoderBlocks blocks) {
        return switch (config.architecture()) {
            case QWEN2_MOE -> Optional.of(SparseLayers.qwen2(config, shape, dense, blocks.graph()));
            case QWEN3_MOE -> Optional.of(SparseLayers.qwen3(config, shape, dense, blocks.graph()));
            default -> Optional.empty();
        };
    }

    /** The key {@code sliding_window} has a number in published configurations also where the window is switched off. */
    private static int window(ModelConfig config) {
        return config.flag("use_sliding_window", false) && config.has("sliding_window") ? config.extent("sliding_window") : 0;
    }

    private static IntFunction<String> windowFrom(ModelConfig config, DecoderShape shape) {
        int first = window(config) == 0 ? shape.layers() : firstWindow(config);
        return layer -> layer >= first ? LayerTypes.SLIDING : LayerTypes.FULL;
    }

    private static int firstWindow(ModelConfig config) {
        return switch (config.architecture()) {
            case QWEN3_MOE -> 0;
            case QWEN2_MOE -> {
                if (!config.has("layer_types")) {
                    throw config.unsupported("use_sliding_window",
                            "false, or a key [layer_types]: published implementations disagree on the layers of this architecture"
                                    + " that have the window");
                }
                yield 0;
            }
            default -> config.integer("max_window_layers", DEFAULT_MAX_WINDOW_LAYERS);
        };
    }
}
