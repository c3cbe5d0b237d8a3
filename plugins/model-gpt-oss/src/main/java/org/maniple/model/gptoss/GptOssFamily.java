package org.maniple.model.gptoss;

import java.util.List;
import java.util.Optional;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Value;
import org.maniple.api.model.DecoderBlocks;
import org.maniple.api.model.DecoderBlocks.Attention;
import org.maniple.api.model.DecoderShape;
import org.maniple.api.model.LayerTypes;
import org.maniple.api.model.ModelArchitecture;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.model.RopeFrequencies;

/**
 * gpt-oss: layers with a window and without in turns, a sink for each head, and a mixture of experts with biases in every layer, whose matrices
 * may be stored in MXFP4.
 *
 * <p>Source: OpenAI, "gpt-oss-120b &amp; gpt-oss-20b Model Card", section 2; the published reference code and configurations.
 */
public final class GptOssFamily implements ModelArchitecture {

    private static final String ARCHITECTURE = "GptOssForCausalLM";
    private static final double DEFAULT_THETA = 150_000;

    @Override
    public String name() {
        return "gpt-oss";
    }

    @Override
    public boolean accepts(ModelConfig config) {
        return config.architecture().equals(ARCHITECTURE);
    }

    @Override
    public ModelGraph graph(ModelConfig config) {
        var shape = DecoderShape.of(config);
        List<String> types = LayerTypes.of(config, shape.layers(),
                layer -> layer % 2 == 0 ? LayerTypes.SLIDING : LayerTypes.FULL);
        var full = attention(config, shape, 0);
        var windowed = types.contains(LayerTypes.SLIDING) ? attention(config, shape, config.extent("sliding_window")) : full;

        var blocks = new DecoderBlocks(name(), shape, 0);
        var experts = GptOssExperts.of(config, blocks.graph(), shape);
        Value stream = blocks.embeddings("hidden.0");
        for (int i = 0; i < shape.layers(); i++) {
            int layer = i;
            var attention = types.get(layer).equals(LayerTypes.SLIDING) ? windowed : full;
            stream = blocks.block(layer, stream, in -> blocks.attention(layer, in, attention),
                    in -> experts.feedForward(layer, in));
        }
        return blocks.head(stream, config.flag("tie_word_embeddings", false), Optional.empty());
    }

    private static Attention attention(ModelConfig config, DecoderShape shape, int window) {
        boolean bias = config.flag("attention_bias", true);
        return new Attention(bias, bias, Attention.Norms.NONE, RopeFrequencies.of(config, shape.headDim(), "", DEFAULT_THETA),
                1 / Math.sqrt(shape.headDim()), window, Float.POSITIVE_INFINITY, true);
    }
}
