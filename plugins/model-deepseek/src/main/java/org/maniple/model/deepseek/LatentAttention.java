package org.maniple.model.deepseek;

import java.util.OptionalInt;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.GraphBuilder;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.State;
import org.maniple.api.graph.TensorView;
import org.maniple.api.graph.Value;
import org.maniple.api.model.DecoderBlocks;
import org.maniple.api.model.DecoderShape;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.model.RopeFrequencies;

/**
 * Multi-head latent attention: what is cached of a position is one latent and one turned key, which all heads share. Each head's keys and
 * values are maps of the latent; the maps are parameters of the attention, so that a back end may apply them to either side.
 *
 * @param queryLatent elements of the queries' latent; empty where queries are projected at once (V2-Lite)
 * @param latent elements of the cached latent
 * @param plain elements of a head's query and key that are not turned
 * @param turned elements that are
 * @param values elements of a head's value
 * @param rope the angles
 * @param scale factor on the scores
 * @param separateMaps whether the maps to keys and to values are two tensors, that to keys with the latent before the elements: as newer GGUF
 *     files have them
 */
record LatentAttention(OptionalInt queryLatent, int latent, int plain, int turned, int values, BuiltinOp.Rope rope,
        double scale, boolean separateMaps) {

    /** Of the norms of both latents, whatever {@code rms_norm_eps} says: published implementations leave theirs at the default. */
    private static final double EPSILON = 1e-6;

    private static final Axis QUERY_LATENT = new Axis("ql");
    private static final Axis LATENT = new Axis("lat");
    private static final Axis PLAIN = new Axis("nope");
    private static final Axis TURNED = new Axis("rd");
    private static final Axis VALUE = new Axis("vd");

    static LatentAttention of(ModelConfig config) {
        int plain = config.extent("qk_nope_head_dim");
        int turned = config.extent("qk_rope_head_dim");
        if (turned % 2 != 0) {
            throw config.unsupported("qk_rope_head_dim", "an even number of elements, since pairs of them are turned");
        }
        OptionalInt queryLatent = config.has("q_lora_rank") ? OptionalInt.of(config.extent("q_lora_rank")) : OptionalInt.empty();
        BuiltinOp.Rope halves = RopeFrequencies.of(config, turned);
        var rope = new BuiltinOp.Rope(halves.frequencies(), halves.scale(), config.flag("rope_interleave", true));
        return new LatentAttention(queryLatent, config.extent("kv_lora_rank"), plain, turned, config.extent("v_head_dim"), rope,
                RopeFrequencies.scoreFactor(config) / Math.sqrt(plain + turned), config.flag("separate_kv_b", false));
    }

    /** Elements of a head's query. */
    int queryElements() {
        return plain + turned;
    }

    /**
     * One layer's attention.
     *
     * @return {@code attn.<layer>} {@code [TOKENS, HIDDEN]}
     */
    Value build(DecoderBlocks blocks, DecoderShape shape, int layer, Value x) {
        return new Layer(blocks.graph(), shape, layer, "model.layers." + layer + ".self_attn.").build(x);
    }

    private final class Layer {

        private final GraphBuilder graph;
        private final DecoderShape shape;
        private final int number;
        private final String prefix;

        Layer(GraphBuilder graph, DecoderShape shape, int number, String prefix) {
            this.graph = graph;
            this.shape = shape;
            this.number = number;
            this.prefix = prefix;
        }

        Value build(Value x) {
            Value source = queryLatent.isPresent() ? queryLatent(x, QUERY_LATENT.of(queryLatent.getAsInt())) : x;
            Dim summed = source.dims().getLast();
            String tensor = queryLatent.isPresent() ? "q_b_proj.weight" : "q_proj.weight";
            Value queries = graph.contract("q." + number, source,
                    part(tensor, "nope", PLAIN.of(plain), queryElements(), 0, summed));
            Value turnedQueries = graph.contract("q.rope." + number, source,
                    part(tensor, "rope", TURNED.of(turned), queryElements(), plain, summed));
            turnedQueries = graph.rope("q.turned." + number, turnedQueries, rope);

            State latents = latents(x);
            State keys = keys(x);
            Parameter keyMap = separateMaps
                    ? transposedKeyMap()
                    : part("kv_b_proj.weight", "keys", PLAIN.of(plain), plain + values, 0, LATENT.of(latent));
            Parameter valueMap = separateMaps
                    ? map("v_b_proj.weight", VALUE.of(values))
                    : part("kv_b_proj.weight", "values", VALUE.of(values), plain + values, plain, LATENT.of(latent));
            Value attended = graph.attendLatent("attended." + number, queries, turnedQueries, latents, keys, keyMap, valueMap,
                    scale);
            return graph.contract("attn." + number, attended, output());
        }

        private Value queryLatent(Value x, Dim elements) {
            Value projected = graph.contract("q.latent." + number, x,
                    graph.parameter(prefix + "q_a_proj.weight", elements, shape.hiddenChannels()));
            return graph.rmsNorm("q.normed." + number, projected, graph.parameter(prefix + "q_a_layernorm.weight", elements),
                    EPSILON,
                    0);
        }

        private State latents(Value x) {
            Dim elements = LATENT.of(latent);
            Value projected = graph.contract("latent." + number, x, compressed("latent", elements, 0));
            Value normed = graph.rmsNorm("latent.normed." + number, projected,
                    graph.parameter(prefix + "kv_a_layernorm.weight", elements), EPSILON, 0);
            State state = graph.state("latents." + number, elements);
            graph.cache(normed, state);
            return state;
        }

        private State keys(Value x) {
            Dim elements = TURNED.of(turned);
            Value projected = graph.contract("k.rope." + number, x, compressed("rope", elements, latent));
            State state = graph.state("keys." + number, elements);
            graph.cache(graph.rope("k.turned." + number, projected, rope), state);
            return state;
        }

        /** Some of the rows of what is projected to latent and key together. */
        private Parameter compressed(String word, Dim rows, int from) {
            String tensor = prefix + "kv_a_proj_with_mqa.weight";
            TensorView view = TensorView.stored(tensor, TensorView.dim(TensorView.part(rows, latent + turned, from)),
                    TensorView.dim(shape.hiddenChannels()));
            return graph.parameter(tensor + ":" + word, view, rows, shape.hiddenChannels());
        }

        /** Some of each head's rows. */
        private Parameter part(String name, String word, Dim rows, int stored, int from, Dim summed) {
            Dim heads = shape.queryHeads();
            TensorView view = TensorView.stored(prefix + name,
                    TensorView.dim(TensorView.whole(heads), TensorView.part(rows, stored, from)), TensorView.dim(summed));
            return graph.parameter(prefix + name + ":" + word, view, heads, rows, summed);
        }

        private Parameter transposedKeyMap() {
            String tensor = prefix + "k_b_proj.weight";
            Dim elements = PLAIN.of(plain);
            TensorView view = TensorView.stored(tensor, TensorView.dim(shape.queryHeads()), TensorView.dim(LATENT.of(latent)),
                    TensorView.dim(elements));
            return graph.parameter(tensor, view, shape.queryHeads(), elements, LATENT.of(latent));
        }

        private Parameter map(String name, Dim rows) {
            String tensor = prefix + name;
            return graph.parameter(tensor, shape.queryHeads(), rows, LATENT.of(latent));
        }

        private Parameter output() {
            String tensor = prefix + "o_proj.weight";
            Dim elements = VALUE.of(values);
            TensorView view = TensorView.stored(tensor, TensorView.dim(shape.hiddenChannels()),
                    TensorView.dim(shape.queryHeads(), elements));
            return graph.parameter(tensor, view, shape.hiddenChannels(), shape.queryHeads(), elements);
        }
    }
}
