package org.maniple.api.model;

import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.ElementFunction;
import org.maniple.api.graph.GraphBuilder;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.TensorView;
import org.maniple.api.graph.Value;

/**
 * The pieces that families of decoders are made of, with the tensor names of published checkpoints
 * ({@code model.layers.<i>.self_attn.q_proj.weight}, …) and the value names that observers look for. What differs between families is a
 * parameter; their order within a block is the family's own. Not safe for use by several threads.
 */
public final class DecoderBlocks {

    /**
     * One layer's attention.
     *
     * @param inputBias whether the projections to queries, keys and values have a bias
     * @param outputBias whether the projection after attention has one
     * @param norms which norm queries and keys pass before they are turned
     * @param rope the angles
     * @param scale factor on the scores
     * @param window how many positions a token sees, itself included; 0: all
     * @param clip bound of the elements of queries, keys and values, after the norm; infinite: none
     * @param sinks whether each head has a sink {@code self_attn.sinks}
     */
    public record Attention(boolean inputBias, boolean outputBias, Norms norms, BuiltinOp.Rope rope, double scale, int window,
            float clip, boolean sinks) {

        /** Which norm queries and keys pass, each for itself, with the weights {@code self_attn.q_norm} and {@code self_attn.k_norm}. */
        public enum Norms {
            /** None. */
            NONE,
            /** One over the elements of each head; all heads have the same weight. */
            EACH_HEAD,
            /** One over the elements of all heads together. */
            ALL_HEADS
        }

        /**
         * Attention whose queries, keys and values are not clipped, and without sinks.
         *
         * @param inputBias whether the projections to queries, keys and values have a bias
         * @param outputBias whether the projection after attention has one
         * @param headNorms whether each head's queries and keys pass a norm before they are turned
         * @param rope the angles
         * @param scale factor on the scores
         * @param window how many positions a token sees, itself included; 0: all
         */
        public Attention(boolean inputBias, boolean outputBias, boolean headNorms, BuiltinOp.Rope rope, double scale,
                int window) {
            this(inputBias, outputBias, headNorms ? Norms.EACH_HEAD : Norms.NONE, rope, scale, window, Float.POSITIVE_INFINITY,
                    false);
        }
    }

    /**
     * One layer's gated feed-forward network.
     *
     * @param activation the function of the gate
     * @param bias whether its three projections have a bias
     */
    public record FeedForward(ElementFunction.Activation activation, boolean bias) {}

    private static final String EMBEDDINGS = "model.embed_tokens.weight";
    /** What a layer that guesses reads of a position and of the next token: channels of the residual stream, but before a projection to it. */
    private static final Axis DRAFT_CHANNELS = new Axis("dc");

    private final GraphBuilder graph;
    private final DecoderShape shape;
    private final float normOffset;
    private @Nullable Ending ending;

    /** What a layer that guesses has in common with the model: what the head reads, and the head. */
    private record Ending(Value normed, Parameter head) {}

    /**
     * Begins a graph.
     *
     * @param architecture the model architecture's name
     * @param shape its extents
     * @param normOffset added to the weights of all norms; 1 in Gemma, otherwise 0
     */
    public DecoderBlocks(String architecture, DecoderShape shape, float normOffset) {
        this.graph = new GraphBuilder(architecture, shape.layers()).derive(Axes.KV_HEADS, Axes.HEADS,
                shape.heads() / shape.kvHeads());
        this.shape = shape;
        this.normOffset = normOffset;
    }

    /**
     * The function that a configuration names.
     *
     * @param config the model's configuration
     * @param key the key that names it
     * @param fallback the name if the key is absent
     * @return the function
     * @throws ModelConfigException if the name is not known
     */
    public static ElementFunction.Activation activation(ModelConfig config, String key, String fallback) {
        return switch (config.text(key).orElse(fallback)) {
            case "silu", "swish" -> ElementFunction.Activation.SILU;
            case "gelu_pytorch_tanh", "gelu_new" -> ElementFunction.Activation.GELU_TANH;
            case "gelu" -> ElementFunction.Activation.GELU;
            case "relu" -> ElementFunction.Activation.RELU;
            default -> throw config.unsupported(key, "one of silu, swish, gelu_pytorch_tanh, gelu_new, gelu, relu");
        };
    }

    /**
     * The builder, for what the pieces here do not cover.
     *
     * @return the same builder throughout
     */
    public GraphBuilder graph() {
        return graph;
    }

    /**
     * Looks up the embeddings of the step's tokens in {@code model.embed_tokens.weight}.
     *
     * @param name of the output
     * @return {@code [TOKENS, HIDDEN]}
     */
    public Value embeddings(String name) {
        return graph.embed(name,
                graph.parameter(EMBEDDINGS, Axes.VOCAB.of(shape.vocabulary()), shape.hiddenChannels()));
    }

    /**
     * A norm over the residual stream's channels.
     *
     * @param name of the output
     * @param x {@code [TOKENS, HIDDEN]}
     * @param tensor the weight's name in the checkpoint
     * @return as {@code x}
     */
    public Value norm(String name, Value x, String tensor) {
        return graph.rmsNorm(name, x, graph.parameter(tensor, shape.hiddenChannels()), shape.epsilon(), normOffset);
    }

    /**
     * A whole block in the order of Llama: norm, attention, residual, norm, feed-forward network, residual.
     *
     * @param layer its number
     * @param x the residual stream before it
     * @param attention its attention
     * @param feedForward its feed-forward network
     * @return {@code hidden.<layer + 1>}
     */
    public Value block(int layer, Value x, Attention attention, FeedForward feedForward) {
        return block(layer, x, in -> attention(layer, in, attention), in -> feedForward(layer, in, feedForward));
    }

    /**
     * A whole block in the order of Llama, whose halves are the family's own: norm, attention, residual, norm, feed-forward network or
     * mixture of experts, residual.
     *
     * @param layer its number
     * @param x the residual stream before it
     * @param attention makes {@code attn.<layer>} from what the first norm gives
     * @param feedForward makes {@code mlp.<layer>} from what the second norm gives
     * @return {@code hidden.<layer + 1>}
     */
    public Value block(int layer, Value x, UnaryOperator<Value> attention, UnaryOperator<Value> feedForward) {
        graph.layer(layer);
        return halves(layer, x, attention, feedForward);
    }

    private Value halves(int layer, Value x, UnaryOperator<Value> attention, UnaryOperator<Value> feedForward) {
        String prefix = "model.layers." + layer + ".";
        Value attended = attention.apply(norm("attn.in." + layer, x, prefix + "input_layernorm.weight"));
        Value between = graph.sum("middle." + layer, x, attended);
        Value fed = feedForward.apply(norm("mlp.in." + layer, between, prefix + "post_attention_layernorm.weight"));
        return graph.sum("hidden." + (layer + 1), between, fed);
    }

    /**
     * Attention with its projections and its cache.
     *
     * @param layer the block's number
     * @param x {@code [TOKENS, HIDDEN]}, after the norm
     * @param attention what is particular to it
     * @return {@code attn.<layer>} {@code [TOKENS, HIDDEN]}
     */
    public Value attention(int layer, Value x, Attention attention) {
        return attention("attn." + layer, layer, x, attention);
    }

    /**
     * Attention whose output is not yet what the block adds to the residual stream.
     *
     * @param name of the output
     * @param layer the block's number
     * @param x {@code [TOKENS, HIDDEN]}, after the norm
     * @param attention what is particular to it
     * @return {@code [TOKENS, HIDDEN]}
     */
    public Value attention(String name, int layer, Value x, Attention attention) {
        String prefix = "model.layers." + layer + ".self_attn.";
        Value queries = turned("q", layer, x, shape.queryHeads(), attention);
        Value keys = turned("k", layer, x, shape.keyValueHeads(), attention);
        Value values = clipped("v.clipped." + layer, heads("v", layer, x, shape.keyValueHeads(), attention.inputBias()),
                attention);
        var keyState = graph.state("keys." + layer, shape.keyValueHeads(), shape.headElements());
        var valueState = graph.state("values." + layer, shape.keyValueHeads(), shape.headElements());
        graph.cache(keys, keyState);
        graph.cache(values, valueState);
        var attend = new BuiltinOp.Attend(attention.scale(), attention.window());
        Value attended = attention.sinks()
                ? graph.attend("attended." + layer, queries, keyState, valueState,
                        graph.parameter(prefix + "sinks", shape.queryHeads()), attend)
                : graph.attend("attended." + layer, queries, keyState, valueState, attend);
        TensorView stored = TensorView.stored(prefix + "o_proj.weight", TensorView.dim(shape.hiddenChannels()),
                TensorView.dim(shape.queryHeads(), shape.headElements()));
        Parameter output = graph.parameter(prefix + "o_proj.weight", stored, shape.hiddenChannels(), shape.queryHeads(),
                shape.headElements());
        return projected(name, attended, output, attention.outputBias(), prefix + "o_proj.bias",
                shape.hiddenChannels());
    }

    /**
     * A gated feed-forward network.
     *
     * @param layer the block's number
     * @param x {@code [TOKENS, HIDDEN]}, after the norm
     * @param feedForward what is particular to it
     * @return {@code mlp.<layer>} {@code [TOKENS, HIDDEN]}
     */
    public Value feedForward(int layer, Value x, FeedForward feedForward) {
        return feedForward("mlp." + layer, layer, x, feedForward);
    }

    /**
     * A gated feed-forward network whose output is not yet what the block adds to the residual stream.
     *
     * @param name of the output
     * @param layer the block's number
     * @param x {@code [TOKENS, HIDDEN]}, after the norm
     * @param feedForward what is particular to it
     * @return {@code [TOKENS, HIDDEN]}
     */
    public Value feedForward(String name, int layer, Value x, FeedForward feedForward) {
        String prefix = "model.layers." + layer + ".mlp.";
        Dim columns = Axes.FFN.of(shape.ffn());
        boolean bias = feedForward.bias();
        Value gate = projected("gate." + layer, x, graph.parameter(prefix + "gate_proj.weight", columns, shape.hiddenChannels()),
                bias,
                prefix + "gate_proj.bias", columns);
        Value up = projected("up." + layer, x, graph.parameter(prefix + "up_proj.weight", columns, shape.hiddenChannels()), bias,
                prefix + "up_proj.bias", columns);
        Value gated = graph.glu("gated." + layer, gate, up, feedForward.activation());
        Parameter down = graph.parameter(prefix + "down_proj.weight", shape.hiddenChannels(), columns);
        return projected(name, gated, down, bias, prefix + "down_proj.bias", shape.hiddenChannels());
    }

    /**
     * The last norm and the head.
     *
     * @param x the residual stream after the last block
     * @param tied whether the head is {@code model.embed_tokens.weight}; otherwise it is {@code lm_head.weight}
     * @param last a function of one operand that the logits pass, if there is one: a bound or a scale
     * @return the graph
     */
    public ModelGraph head(Value x, boolean tied, Optional<? extends ElementFunction> last) {
        graph.layer(shape.layers());
        Value normed = norm("hidden.norm", x, "model.norm.weight");
        Dim vocabulary = Axes.VOCAB.of(shape.vocabulary());
        TensorView stored = TensorView.stored(tied ? EMBEDDINGS : "lm_head.weight", TensorView.dim(vocabulary),
                TensorView.dim(shape.hiddenChannels()));
        Parameter head = graph.parameter("lm_head.weight", stored, vocabulary, shape.hiddenChannels());
        ending = new Ending(normed, head);
        if (last.isEmpty()) {
            return graph.head(normed, head, shape.contextLength());
        }
        Value selected = graph.add(new BuiltinOp.Select(), "selected", List.of(Dim.ROWS, shape.hiddenChannels()), normed);
        Value raw = graph.contract("logits.raw", selected, head);
        return graph.finish(graph.add(new BuiltinOp.Elementwise(last.get()), "logits", raw.dims(), raw), shape.contextLength());
    }

    /**
     * The layer behind the last one that guesses the token after the next (DeepSeek-V3, section 2.2, and models that follow it): the norms
     * {@code enorm} of the next token's embedding and {@code hnorm} of what the head reads of a position, {@code eh_proj} of both, a block, and
     * {@code shared_head.norm} before the head. Embeddings and head are the model's own, which such checkpoints hold again.
     *
     * @param main the graph that {@link #head} gave
     * @param attention makes the block's attention from what its first norm gives; its number is that of layers
     * @param feedForward makes the block's mixture from what its second norm gives
     * @return the graph with this layer
     */
    public ModelGraph draft(ModelGraph main, UnaryOperator<Value> attention, UnaryOperator<Value> feedForward) {
        if (ending == null) {
            throw new IllegalStateException("a layer that guesses comes behind the head");
        }
        int layer = shape.layers();
        String prefix = "model.layers." + layer + ".";
        Dim channels = DRAFT_CHANNELS.of(shape.hidden());
        Value hidden = graph.draft(ending.normed(), channels);
        Dim vocabulary = Axes.VOCAB.of(shape.vocabulary());
        Parameter embeddings = graph.parameter("draft." + EMBEDDINGS,
                TensorView.stored(EMBEDDINGS, TensorView.dim(vocabulary), TensorView.dim(channels)), vocabulary, channels);
        Value next = draftNorm("draft.next", graph.embed("draft.embedding", embeddings), prefix + "enorm.weight", channels);
        Value before = draftNorm("draft.before", hidden, prefix + "hnorm.weight", channels);
        Value joined = graph.sum("draft.joined", graph.contract("draft.next.projected", next, half(prefix, channels, 0)),
                graph.contract("draft.before.projected", before, half(prefix, channels, 1)));
        Value normed = norm("draft.norm", halves(layer, joined, attention, feedForward), prefix + "shared_head.norm.weight");
        return graph.finishDraft(main, normed, ending.head());
    }

    private Value draftNorm(String name, Value x, String tensor, Dim channels) {
        return graph.rmsNorm(name, x, graph.parameter(tensor, channels), shape.epsilon(), normOffset);
    }

    /** The columns of {@code eh_proj} for the embedding or for what the head reads. */
    private Parameter half(String prefix, Dim channels, int which) {
        String tensor = prefix + "eh_proj.weight";
        TensorView stored = TensorView.stored(tensor, TensorView.dim(shape.hiddenChannels()),
                TensorView.dim(TensorView.pick(2, which), TensorView.whole(channels)));
        return graph.parameter(tensor + ":" + (which == 0 ? "next" : "before"), stored, shape.hiddenChannels(), channels);
    }

    private Value turned(String word, int layer, Value x, Dim heads, Attention attention) {
        Value value = heads(word, layer, x, heads, attention.inputBias());
        if (attention.norms() != Attention.Norms.NONE) {
            String tensor = "model.layers." + layer + ".self_attn." + word + "_norm.weight";
            Dim[] normed = attention.norms() == Attention.Norms.ALL_HEADS
                    ? new Dim[] {heads, shape.headElements()}
                    : new Dim[] {shape.headElements()};
            Parameter weight = graph.parameter(tensor, TensorView.stored(tensor, TensorView.dim(normed)), normed);
            value = graph.rmsNorm(word + ".normed." + layer, value, weight, shape.epsilon(), normOffset);
        }
        return graph.rope(word + ".turned." + layer, clipped(word + ".clipped." + layer, value, attention), attention.rope());
    }

    private Value clipped(String name, Value x, Attention attention) {
        if (attention.clip() == Float.POSITIVE_INFINITY) {
            return x;
        }
        return graph.add(new BuiltinOp.Elementwise(new ElementFunction.Clamp(attention.clip())), name, x.dims(), x);
    }

    private Value heads(String word, int layer, Value x, Dim heads, boolean bias) {
        String tensor = "model.layers." + layer + ".self_attn." + word + "_proj.";
        TensorView stored = TensorView.stored(tensor + "weight", TensorView.dim(heads, shape.headElements()),
                TensorView.dim(shape.hiddenChannels()));
        Parameter weight = graph.parameter(tensor + "weight", stored, heads, shape.headElements(), shape.hiddenChannels());
        return projected(word + "." + layer, x, weight, bias, tensor + "bias", heads, shape.headElements());
    }

    private Value projected(String name, Value x, Parameter weight, boolean bias, String biasTensor, Dim... outputs) {
        if (!bias) {
            return graph.contract(name, x, weight);
        }
        TensorView stored = TensorView.stored(biasTensor, TensorView.dim(outputs));
        return graph.sum(name, graph.contract(name + ".unbiased", x, weight), graph.parameter(biasTensor, stored, outputs));
    }
}
