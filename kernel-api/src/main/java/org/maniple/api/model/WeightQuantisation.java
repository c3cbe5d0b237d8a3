package org.maniple.api.model;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Which quantised checkpoints can be read. A graph says nothing about it: whoever loads weights sees how each is stored; what it cannot read
 * is refused here, before any file is opened.
 */
final class WeightQuantisation {

    private static final String SUPPORTED = "no such key (F32, F16 or BF16), quant_method fp8 with weight_block_size [128, 128],"
            + " mxfp4, gptq, awq or compressed-tensors";
    private static final List<Integer> FP8_BLOCK = List.of(128, 128);

    private WeightQuantisation() {}

    static void check(ModelConfig config) {
        Optional<ModelConfig> quantisation = config.object("quantization_config");
        if (quantisation.isEmpty()) {
            return;
        }
        switch (quantisation.get().text("quant_method").orElse("").toLowerCase(Locale.ROOT)) {
            case "fp8" -> {
                if (!quantisation.get().integers("weight_block_size").equals(FP8_BLOCK)) {
                    throw quantisation.get().unsupported("weight_block_size", "[128, 128] for quant_method fp8");
                }
            }
            case "mxfp4", "gptq", "awq", "compressed-tensors" -> {
                // What of these can be read is known to whoever reads them.
            }
            default -> throw config.unsupported("quantization_config", SUPPORTED);
        }
    }
}
