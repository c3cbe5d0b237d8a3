package org.maniple.bench.model;

import java.util.List;
import java.util.Optional;

/**
 * The shape of a published model, from its configuration file. All have tied embeddings and root-mean-square norms.
 *
 * @param name what it is called here
 * @param architecture what GGUF calls its architecture
 * @param vocabulary tokens
 * @param hidden width of the residual stream
 * @param layers how many
 * @param feedForward rows of the feed-forward network, of each expert if there are any
 * @param heads query heads
 * @param keyValueHeads key and value heads
 * @param headSize elements of a head
 * @param positions longest context
 * @param ropeBase base of the rotary frequencies
 * @param ropeScaled whether they are scaled as Llama 3.1 does
 * @param norm what norms add under the root
 * @param preTokenizer what GGUF calls its pre-tokenizer
 * @param experts experts of a layer, 0 if it has none
 * @param chosen experts of a token
 */
record ModelShape(
        String name,
        String architecture,
        int vocabulary,
        int hidden,
        int layers,
        int feedForward,
        int heads,
        int keyValueHeads,
        int headSize,
        int positions,
        float ropeBase,
        boolean ropeScaled,
        float norm,
        String preTokenizer,
        int experts,
        int chosen) {

    static final List<ModelShape> ALL = List.of(
            new ModelShape("smollm2-135m", "llama", 49_152, 576, 30, 1536, 9, 3, 64, 8192, 1e5f, false, 1e-5f, "smollm", 0, 0),
            new ModelShape("qwen3-0.6b", "qwen3", 151_936, 1024, 28, 3072, 16, 8, 128, 40_960, 1e6f, false, 1e-6f, "qwen2", 0, 0),
            new ModelShape("llama3.2-1b", "llama", 128_256, 2048, 16, 8192, 32, 8, 64, 131_072, 5e5f, true, 1e-5f, "llama-bpe", 0,
                    0),
            new ModelShape("qwen3moe-1b", "qwen3moe", 151_936, 1024, 12, 384, 16, 4, 128, 40_960, 1e6f, false, 1e-6f, "qwen2", 64,
                    8));

    static Optional<ModelShape> named(String name) {
        return ALL.stream().filter(shape -> shape.name.equals(name)).findFirst();
    }

    /** Whether heads of queries and keys have norms of their own. */
    boolean headNorms() {
        return !architecture.equals("llama");
    }
}
