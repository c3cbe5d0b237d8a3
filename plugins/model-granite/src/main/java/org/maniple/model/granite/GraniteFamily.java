package org.maniple.model.granite;

import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.maniple.api.graph.ElementFunction;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Value;
import org.maniple.api.model.DecoderBlocks;
import org.maniple.api.model.DecoderBlocks.Attention;
import org.maniple.api.model.DecoderBlocks.FeedForward;
import org.maniple.api.model.DecoderShape;
import org.maniple.api.model.ModelArchitecture;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.model.RopeFrequencies;

/**
 * Granite 3 and PowerLM, and their mixtures of experts (PowerMoE): the blocks of Llama, with factors on the embeddings, on attention scores, on
 * what each half of a block adds to the residual stream, and on the logits.
 */
public final class GraniteFamily implements ModelArchitecture {

    private static final String SPARSE = "GraniteMoeForCausalLM";
    private static final Set<String> ARCHITECTURES = Set.of("GraniteForCausalLM", SPARSE);

    @Override
    public String name() {
        return "granite";
    }

    @Override
    public boolean accepts(ModelConfig config) {
        return ARCHITECTURES.contains(config.architecture());
    }

    @Override
    public ModelGraph graph(ModelConfig config) {
        var shape = DecoderShape.of(config);
        boolean bias = config.flag("attention_bias", false);
        var attention = new Attention(bias, bias, false, RopeFrequencies.of(config, shape.headDim()),
                factor(config, "attention_multiplier"), 0);
        var activation = DecoderBlocks.activation(config, "hidden_act", "silu");
        float added = (float) factor(config, "residual_multiplier");
        double divisor = factor(config, "logits_scaling");

        var blocks = new DecoderBlocks(name(), shape, 0);
        Layers feedForwards = config.architecture().equals(SPARSE)
                ? GraniteExperts.of(config, blocks.graph(), shape, activation)::feedForward
                : dense(blocks, new FeedForward(activation, config.flag("mlp_bias", false)));
        Value stream = embeddings(blocks, (float) factor(config, "embedding_multiplier"));
        for (int i = 0; i < shape.layers(); i++) {
            int layer = i;
            stream = blocks.block(layer, stream,
                    in -> scaled(blocks, "attn.", layer, added, name -> blocks.attention(name, layer, in, attention)),
                    in -> scaled(blocks, "mlp.", layer, added, name -> feedForwards.feedForward(name, layer, in)));
        }
        return blocks.head(stream, config.flag("tie_word_embeddings", false), Optional.of(divisor).filter(d -> d != 1)
                .map(d -> new ElementFunction.Scale((float) (1 / d))));
    }

    /** The second half of a block, unscaled. */
    private interface Layers {
        Value feedForward(String name, int layer, Value x);
    }

    private static Layers dense(DecoderBlocks blocks, FeedForward feedForward) {
        return (name, layer, x) -> blocks.feedForward(name, layer, x, feedForward);
    }

    private static Value embeddings(DecoderBlocks blocks, float factor) {
        return factor == 1
                ? blocks.embeddings("hidden.0")
                : blocks.graph().scale("hidden.0", blocks.embeddings("embedded"), factor);
    }

    /** What observers see as a half's output is what it adds to the residual stream: that is whole on every rank, on any layout. */
    private static Value scaled(DecoderBlocks blocks, String word, int layer, float factor, Function<String, Value> half) {
        return factor == 1
                ? half.apply(word + layer)
                : blocks.graph().scale(word + layer, half.apply(word + "unscaled." + layer), factor);
    }

    /** All factors are 1 where the configuration has none, that on attention scores too: it does not follow from the head's extent. */
    private static double factor(ModelConfig config, String key) {
        double factor = config.number(key, 1);
        if (factor <= 0) {
            throw config.unsupported(key, "a positive number");
        }
        return factor;
    }
}
