package org.example.hello;

import org.maniple.api.graph.Axes;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.ElementFunction;
import org.maniple.api.graph.GraphBuilder;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.Value;
import org.maniple.api.model.DecoderBlocks;
import org.maniple.api.model.DecoderBlocks.Attention;
import org.maniple.api.model.DecoderShape;
import org.maniple.api.model.ModelArchitecture;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.model.RopeFrequencies;

/**
 * A decoder whose norms subtract the mean ({@link LayerNorm}, which the kernel does not have) and whose feed-forward network has no
 * gate. It says what is computed along which axes; nothing here knows how many ranks there are.
 */
public final class HelloArchitecture implements ModelArchitecture {

    @Override
    public String name() {
        return "hello";
    }

    @Override
    public boolean accepts(ModelConfig config) {
        return config.architecture().equals("HelloForCausalLM");
    }

    @Override
    public ModelGraph graph(ModelConfig config) {
        var shape = DecoderShape.of(config);
        var norm = new LayerNorm((float) config.number("layer_norm_eps", 1e-5));
        var rope = RopeFrequencies.of(config, shape.headDim());
        var attention = new Attention(true, true, false, rope, 1 / Math.sqrt(shape.headDim()), 0);
        var activation = DecoderBlocks.activation(config, "hidden_act", "gelu_pytorch_tanh");

        var blocks = new DecoderBlocks(name(), shape, 0);
        GraphBuilder graph = blocks.graph();
        Value stream = blocks.embeddings("hidden.0");
        for (int layer = 0; layer < shape.layers(); layer++) {
            graph.layer(layer);
            String prefix = "model.layers." + layer + ".";
            Value read = normed(graph, norm, "attn.in." + layer, stream, prefix + "input_layernorm");
            Value between = graph.sum("middle." + layer, stream, blocks.attention(layer, read, attention));
            Value again = normed(graph, norm, "mlp.in." + layer, between, prefix + "post_attention_layernorm");
            stream = graph.sum("hidden." + (layer + 1), between, feedForward(graph, layer, again, shape, activation));
        }
        graph.layer(shape.layers());
        Value last = normed(graph, norm, "hidden.norm", stream, "model.norm");
        Parameter head = graph.parameter("lm_head.weight", Axes.VOCAB.of(shape.vocabulary()), shape.hiddenChannels());
        return graph.head(last, head, shape.contextLength());
    }

    private static Value normed(GraphBuilder graph, LayerNorm norm, String name, Value x, String tensor) {
        Dim channels = x.dims().getLast();
        return graph.add(norm, name, x.dims(), x, graph.parameter(tensor + ".weight", channels),
                graph.parameter(tensor + ".bias", channels));
    }

    /** Two linear maps with biases and a function between them: {@code down(activation(up(x)))}. */
    private static Value feedForward(GraphBuilder graph, int layer, Value x, DecoderShape shape,
            ElementFunction.Activation activation) {
        Dim columns = Axes.FFN.of(shape.ffn());
        Dim channels = shape.hiddenChannels();
        Value up = linear(graph, "up." + layer, x, "model.layers." + layer + ".mlp.up_proj", columns, channels);
        var function = new BuiltinOp.Elementwise(new ElementFunction.Activate(activation));
        Value bent = graph.add(function, "bent." + layer, up.dims(), up);
        return linear(graph, "mlp." + layer, bent, "model.layers." + layer + ".mlp.down_proj", channels, columns);
    }

    private static Value linear(GraphBuilder graph, String name, Value x, String tensor, Dim out, Dim in) {
        Value product = graph.contract(name + ".unbiased", x, graph.parameter(tensor + ".weight", out, in));
        return graph.sum(name, product, graph.parameter(tensor + ".bias", out));
    }
}
