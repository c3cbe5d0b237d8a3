package org.maniple.bench.model;

import java.util.ArrayList;
import java.util.List;

/**
 * One stored tensor of a model.
 *
 * @param gguf its name in a GGUF file
 * @param published its name in published safetensors checkpoints; of a stack of experts, with {@code {}} for the expert
 * @param role what decides about its type
 * @param layer its layer, or -1
 * @param experts matrices that it stacks, or 1
 * @param rows rows of each
 * @param columns elements of a row
 */
record Weight(String gguf, String published, Role role, int layer, int experts, int rows, int columns) {

    /** What decides about a tensor's type. */
    enum Role {
        EMBEDDING, NORM, ROUTER, ROPE, VALUES, DOWN, OTHER;

        /** Whether every file holds it as F32. */
        boolean plain() {
            return this == NORM || this == ROUTER || this == ROPE;
        }
    }

    /** All tensors of a model, in the order of the file. */
    static List<Weight> of(ModelShape shape) {
        var all = new ArrayList<Weight>();
        all.add(new Weight("token_embd.weight", "model.embed_tokens.weight", Role.EMBEDDING, -1, 1, shape.vocabulary(),
                shape.hidden()));
        for (int layer = 0; layer < shape.layers(); layer++) {
            new Layer(shape, layer, all).add();
        }
        all.add(new Weight("output_norm.weight", "model.norm.weight", Role.NORM, -1, 1, 1, shape.hidden()));
        if (shape.ropeScaled()) {
            all.add(new Weight("rope_freqs.weight", "", Role.ROPE, -1, 1, 1, shape.headSize() / 2));
        }
        return List.copyOf(all);
    }

    long elements() {
        return (long) experts * rows * columns;
    }

    private record Layer(ModelShape shape, int layer, List<Weight> all) {

        void add() {
            int queries = shape.heads() * shape.headSize();
            int keys = shape.keyValueHeads() * shape.headSize();
            vector("attn_norm", "input_layernorm", shape.hidden());
            matrix("attn_q", "self_attn.q_proj", Role.OTHER, queries, shape.hidden());
            matrix("attn_k", "self_attn.k_proj", Role.OTHER, keys, shape.hidden());
            matrix("attn_v", "self_attn.v_proj", Role.VALUES, keys, shape.hidden());
            matrix("attn_output", "self_attn.o_proj", Role.OTHER, shape.hidden(), queries);
            if (shape.headNorms()) {
                vector("attn_q_norm", "self_attn.q_norm", shape.headSize());
                vector("attn_k_norm", "self_attn.k_norm", shape.headSize());
            }
            vector("ffn_norm", "post_attention_layernorm", shape.hidden());
            if (shape.experts() == 0) {
                matrix("ffn_gate", "mlp.gate_proj", Role.OTHER, shape.feedForward(), shape.hidden());
                matrix("ffn_up", "mlp.up_proj", Role.OTHER, shape.feedForward(), shape.hidden());
                matrix("ffn_down", "mlp.down_proj", Role.DOWN, shape.hidden(), shape.feedForward());
            } else {
                matrix("ffn_gate_inp", "mlp.gate", Role.ROUTER, shape.experts(), shape.hidden());
                experts("ffn_gate_exps", "gate_proj", Role.OTHER, shape.feedForward(), shape.hidden());
                experts("ffn_up_exps", "up_proj", Role.OTHER, shape.feedForward(), shape.hidden());
                experts("ffn_down_exps", "down_proj", Role.DOWN, shape.hidden(), shape.feedForward());
            }
        }

        private void vector(String gguf, String published, int size) {
            matrix(gguf, published, Role.NORM, 1, size);
        }

        private void matrix(String gguf, String published, Role role, int rows, int columns) {
            all.add(new Weight("blk." + layer + "." + gguf + ".weight", "model.layers." + layer + "." + published + ".weight",
                    role,
                    layer, 1, rows, columns));
        }

        private void experts(String gguf, String published, Role role, int rows, int columns) {
            all.add(new Weight("blk." + layer + "." + gguf + ".weight",
                    "model.layers." + layer + ".mlp.experts.{}." + published + ".weight", role, layer, shape.experts(), rows,
                    columns));
        }
    }
}
