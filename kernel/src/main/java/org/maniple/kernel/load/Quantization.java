package org.maniple.kernel.load;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.maniple.api.model.ModelConfig;

/**
 * What a model's configuration says about how its weights are quantised. Which tensors are, their stored types say; so a list of modules
 * that were left alone needs no attention.
 *
 * @param method how
 * @param blockRows rows (outputs) that share a factor in an FP8 tensor
 * @param blockColumns columns (inputs) that share a factor in an FP8 tensor
 */
public record Quantization(Method method, int blockRows, int blockColumns) {

    /** Ways of quantising that can be read. */
    public enum Method {
        /** Weights are what they are. */
        NONE,
        /** FP8 E4M3 with a factor for each block of rows and columns, as DeepSeek-V3 is published. */
        FP8,
        /** MXFP4, as gpt-oss is published. */
        MXFP4
    }

    private static final int BLOCK = 128;

    /** Not quantised; should an FP8 tensor turn up all the same, its blocks are 128×128. */
    public static final Quantization NONE = new Quantization(Method.NONE, BLOCK, BLOCK);

    /** Checks the block. */
    public Quantization {
        if (blockRows < 1 || blockColumns < 1) {
            throw new IllegalArgumentException("blocks of " + blockRows + " x " + blockColumns);
        }
    }

    /**
     * Reads it from the key {@code quantization_config}.
     *
     * @param config the model's configuration
     * @return how its weights are quantised
     * @throws org.maniple.api.model.ModelConfigException if it is by a method that cannot be read
     */
    public static Quantization of(ModelConfig config) {
        Optional<ModelConfig> found = config.object("quantization_config");
        if (found.isEmpty()) {
            return NONE;
        }
        ModelConfig values = found.get();
        return switch (values.text("quant_method").orElse("").toLowerCase(Locale.ROOT)) {
            case "fp8" -> fp8(values);
            case "mxfp4" -> new Quantization(Method.MXFP4, BLOCK, BLOCK);
            default -> throw values.unsupported("quant_method",
                    "fp8 (blocks of 128x128) or mxfp4; give a checkpoint quantised so, or one that is not quantised");
        };
    }

    private static Quantization fp8(ModelConfig values) {
        if (!values.text("fmt").orElse("e4m3").equals("e4m3")) {
            throw values.unsupported("fmt", "e4m3");
        }
        List<Integer> block = values.integers("weight_block_size");
        if (block.isEmpty()) {
            return new Quantization(Method.FP8, BLOCK, BLOCK);
        }
        if (block.size() != 2 || block.stream().anyMatch(size -> size < 1)) {
            throw values.unsupported("weight_block_size", "rows and columns of a block, for example [128, 128]");
        }
        return new Quantization(Method.FP8, block.get(0), block.get(1));
    }
}
