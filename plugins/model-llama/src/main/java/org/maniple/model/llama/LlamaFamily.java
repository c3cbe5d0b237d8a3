package org.maniple.model.llama;

import java.util.Optional;
import java.util.Set;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Value;
import org.maniple.api.model.DecoderBlocks;
import org.maniple.api.model.DecoderBlocks.Attention;
import org.maniple.api.model.DecoderBlocks.FeedForward;
import org.maniple.api.model.DecoderShape;
import org.maniple.api.model.ModelArchitecture;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.model.RopeFrequencies;

/** Llama 2 and 3.x, the many models that share their architecture, and Mistral, which adds a window. */
public final class LlamaFamily implements ModelArchitecture {

    private static final String MISTRAL = "MistralForCausalLM";
    private static final Set<String> ARCHITECTURES = Set.of("LlamaForCausalLM", MISTRAL);

    @Override
    public String name() {
        return "llama";
    }

    @Override
    public boolean accepts(ModelConfig config) {
        return ARCHITECTURES.contains(config.architecture());
    }

    @Override
    public ModelGraph graph(ModelConfig config) {
        var shape = DecoderShape.of(config);
        boolean mistral = config.architecture().equals(MISTRAL);
        boolean bias = !mistral && config.flag("attention_bias", false);
        int window = mistral && config.has("sliding_window") ? config.extent("sliding_window") : 0;
        var rope = RopeFrequencies.of(config, shape.headDim());
        var attention = new Attention(bias, bias, false, rope, 1 / Math.sqrt(shape.headDim()), window);
        var feedForward = new FeedForward(DecoderBlocks.activation(config, "hidden_act", "silu"),
                !mistral && config.flag("mlp_bias", false));

        var blocks = new DecoderBlocks(name(), shape, 0);
        Value stream = blocks.embeddings("hidden.0");
        for (int layer = 0; layer < shape.layers(); layer++) {
            stream = blocks.block(layer, stream, attention, feedForward);
        }
        return blocks.head(stream, config.flag("tie_word_embeddings", false), Optional.empty());
    }
}
