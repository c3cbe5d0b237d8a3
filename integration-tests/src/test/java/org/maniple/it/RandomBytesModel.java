package org.maniple.it;

import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import org.maniple.api.tensor.DType;

/** Small models whose matrices are random bytes: scales that are infinite or no numbers, codes of every kind. */
final class RandomBytesModel {

    private static final int VOCABULARY = 9;
    private static final int EXPERTS = 4;

    private final int hidden;
    private final int columns;
    private final Random random = new Random(3);
    private final GgufWriter out = new GgufWriter();
    private final Iterator<DType> types;

    /**
     * A model of one block.
     *
     * @param hidden elements of a hidden state; two heads share them
     * @param columns of the feed-forward network, or of each expert
     * @param types of its nine matrices: embedding, queries, keys, values, output, gate, up, down, head
     */
    RandomBytesModel(int hidden, int columns, List<DType> types) {
        this.hidden = hidden;
        this.columns = columns;
        this.types = types.iterator();
    }

    GgufWriter dense() {
        metadata("llama");
        attention();
        matrix("blk.0.ffn_gate.weight", columns, hidden);
        matrix("blk.0.ffn_up.weight", columns, hidden);
        matrix("blk.0.ffn_down.weight", hidden, columns);
        return head();
    }

    GgufWriter experts() {
        metadata("qwen3moe");
        out.value("qwen3moe.expert_count", EXPERTS).value("qwen3moe.expert_used_count", 2)
                .value("qwen3moe.expert_feed_forward_length", columns);
        attention();
        ones("blk.0.attn_q_norm.weight", hidden / 2);
        ones("blk.0.attn_k_norm.weight", hidden / 2);
        stored("blk.0.ffn_gate_inp.weight", DType.F32, EXPERTS, hidden);
        stored("blk.0.ffn_gate_exps.weight", types.next(), EXPERTS, columns, hidden);
        stored("blk.0.ffn_up_exps.weight", types.next(), EXPERTS, columns, hidden);
        stored("blk.0.ffn_down_exps.weight", types.next(), EXPERTS, hidden, columns);
        return head();
    }

    private void metadata(String architecture) {
        out.value("general.architecture", architecture).value(architecture + ".block_count", 1)
                .value(architecture + ".context_length", 64).value(architecture + ".embedding_length", hidden)
                .value(architecture + ".feed_forward_length", columns).value(architecture + ".attention.head_count", 2)
                .value(architecture + ".attention.head_count_kv", 1)
                .value(architecture + ".attention.key_length", hidden / 2)
                .value(architecture + ".attention.value_length", hidden / 2)
                .value(architecture + ".attention.layer_norm_rms_epsilon", 1e-5f)
                .value(architecture + ".rope.freq_base", 10_000f);
    }

    private void attention() {
        matrix("token_embd.weight", VOCABULARY, hidden);
        ones("blk.0.attn_norm.weight", hidden);
        matrix("blk.0.attn_q.weight", hidden, hidden);
        matrix("blk.0.attn_k.weight", hidden / 2, hidden);
        matrix("blk.0.attn_v.weight", hidden / 2, hidden);
        matrix("blk.0.attn_output.weight", hidden, hidden);
        ones("blk.0.ffn_norm.weight", hidden);
    }

    private GgufWriter head() {
        ones("output_norm.weight", hidden);
        matrix("output.weight", VOCABULARY, hidden);
        return out;
    }

    private void matrix(String name, int rows, int width) {
        stored(name, types.next(), rows, width);
    }

    private void stored(String name, DType type, long... shape) {
        byte[] bytes = new byte[(int) type.bytes(Arrays.stream(shape).reduce(1, (a, b) -> a * b))];
        random.nextBytes(bytes);
        out.stored(name, bytes, type, shape);
    }

    private void ones(String name, int length) {
        float[] elements = new float[length];
        Arrays.fill(elements, 1);
        out.tensor(name, elements, DType.F32, length);
    }
}
