package org.maniple.it;

import java.util.Arrays;
import java.util.Random;
import org.maniple.api.tensor.DType;

/** Mixtures of experts of the architecture qwen3moe with random weights, whose rows are wide enough for blocks of 256. */
final class RandomMixture {

    static final int VOCABULARY = 320;
    private static final int HIDDEN = 256;
    private static final int HEADS = 4;
    private static final int KEY_HEADS = 2;
    private static final int HEAD = 64;
    private static final int EXPERTS = 8;
    private static final int CHOSEN = 2;
    private static final int LAYERS = 2;

    private final Random random = new Random(25);
    private final GgufWriter out = new GgufWriter();
    private final DType type;

    private RandomMixture(DType type) {
        this.type = type;
    }

    /**
     * Makes one; the elements are the same for every type.
     *
     * @param type of matrices
     * @param columns of each expert
     */
    static GgufWriter of(DType type, int columns) {
        var mixture = new RandomMixture(type);
        mixture.metadata(columns);
        mixture.tensors(columns);
        return mixture.out;
    }

    private void metadata(int columns) {
        out.value("general.architecture", "qwen3moe").value("qwen3moe.block_count", LAYERS)
                .value("qwen3moe.context_length", 1024).value("qwen3moe.embedding_length", HIDDEN)
                .value("qwen3moe.feed_forward_length", columns).value("qwen3moe.attention.head_count", HEADS)
                .value("qwen3moe.attention.head_count_kv", KEY_HEADS).value("qwen3moe.attention.key_length", HEAD)
                .value("qwen3moe.attention.value_length", HEAD).value("qwen3moe.attention.layer_norm_rms_epsilon", 1e-6f)
                .value("qwen3moe.rope.freq_base", 10_000f).value("qwen3moe.expert_count", EXPERTS)
                .value("qwen3moe.expert_used_count", CHOSEN).value("qwen3moe.expert_feed_forward_length", columns);
    }

    private void tensors(int columns) {
        matrix("token_embd.weight", 1, VOCABULARY, HIDDEN);
        for (int layer = 0; layer < LAYERS; layer++) {
            String block = "blk." + layer + ".";
            ones(block + "attn_norm.weight", HIDDEN);
            matrix(block + "attn_q.weight", 1, HEADS * HEAD, HIDDEN);
            matrix(block + "attn_k.weight", 1, KEY_HEADS * HEAD, HIDDEN);
            matrix(block + "attn_v.weight", 1, KEY_HEADS * HEAD, HIDDEN);
            matrix(block + "attn_output.weight", 1, HIDDEN, HEADS * HEAD);
            ones(block + "attn_q_norm.weight", HEAD);
            ones(block + "attn_k_norm.weight", HEAD);
            ones(block + "ffn_norm.weight", HIDDEN);
            out.tensor(block + "ffn_gate_inp.weight", elements(EXPERTS, HIDDEN), DType.F32, EXPERTS, HIDDEN);
            matrix(block + "ffn_gate_exps.weight", EXPERTS, columns, HIDDEN);
            matrix(block + "ffn_up_exps.weight", EXPERTS, columns, HIDDEN);
            matrix(block + "ffn_down_exps.weight", EXPERTS, HIDDEN, columns);
        }
        ones("output_norm.weight", HIDDEN);
        matrix("output.weight", 1, VOCABULARY, HIDDEN);
    }

    /** One matrix, or a stack of some. */
    private void matrix(String name, int stacked, int rows, int columns) {
        float[] elements = elements(stacked * rows, columns);
        if (stacked == 1) {
            out.tensor(name, elements, type, rows, columns);
        } else {
            out.tensor(name, elements, type, stacked, rows, columns);
        }
    }

    /** Rows that keep the size of what they are multiplied with. */
    private float[] elements(int rows, int columns) {
        float[] elements = new float[rows * columns];
        float deviation = (float) Math.sqrt(1.0 / columns);
        for (int i = 0; i < elements.length; i++) {
            elements[i] = deviation * (float) random.nextGaussian();
        }
        return elements;
    }

    private void ones(String name, int length) {
        float[] elements = new float[length];
        Arrays.fill(elements, 1);
        out.tensor(name, elements, DType.F32, length);
    }
}
