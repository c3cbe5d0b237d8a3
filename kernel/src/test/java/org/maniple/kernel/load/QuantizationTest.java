package org.maniple.kernel.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.model.ModelConfigException;
import org.maniple.kernel.load.Quantization.Method;

class QuantizationTest {

    private static Quantization of(Map<String, Object> values) {
        return Quantization.of(new ModelConfig("config.json", Map.of("quantization_config", values)));
    }

    @Test
    void aModelThatSaysNothingIsNotQuantised() {
        assertThat(Quantization.of(new ModelConfig("config.json", Map.of()))).isEqualTo(Quantization.NONE);
    }

    @Test
    void fp8HasBlocksAsConfiguredOrOf128() {
        assertThat(of(Map.of("quant_method", "fp8", "weight_block_size", List.of(64, 32))))
                .isEqualTo(new Quantization(Method.FP8, 64, 32));
        assertThat(of(Map.of("quant_method", "fp8"))).isEqualTo(new Quantization(Method.FP8, 128, 128));
    }

    @Test
    void modulesThatWereNotConvertedNeedNoAttention() {
        assertThat(of(Map.of("quant_method", "mxfp4", "modules_to_not_convert", List.of("lm_head"))).method())
                .isEqualTo(Method.MXFP4);
    }

    @Test
    void anUnknownMethodIsRefusedByItsName() {
        assertThatThrownBy(() -> of(Map.of("quant_method", "bitsandbytes"))).isInstanceOf(ModelConfigException.class)
                .hasMessageContainingAll("config.json quantization_config", "[quant_method] is [bitsandbytes]", "fp8", "mxfp4",
                        "gptq",
                        "awq", "compressed-tensors");
        assertThatThrownBy(() -> of(Map.of("bits", 4))).isInstanceOf(ModelConfigException.class)
                .hasMessageContaining("[quant_method] is [null]");
    }

    @Test
    void layoutsOfIntegersThatCannotBeReadAreRefused() {
        assertThatThrownBy(() -> of(Map.of("quant_method", "gptq", "bits", 3)))
                .hasMessageContaining("[bits] is [3], expected 4 or 8");
        assertThatThrownBy(() -> of(Map.of("quant_method", "gptq", "bits", 4, "checkpoint_format", "marlin")))
                .hasMessageContainingAll("[checkpoint_format] is [marlin]", "gptq or gptq_v2");
        assertThatThrownBy(() -> of(Map.of("quant_method", "awq", "bits", 4, "version", "gemv")))
                .hasMessageContainingAll("[version] is [gemv]", "gemm");
        assertThatThrownBy(() -> of(Map.of("quant_method", "compressed-tensors", "format", "marlin-24", "config_groups",
                Map.of("group_0", Map.of("weights", Map.of("num_bits", 4, "strategy", "channel"))))))
                .hasMessageContainingAll("[format] is [marlin-24]", "pack-quantized", "int-quantized", "float-quantized");
    }

    private static Map<String, Object> scheme(String format, Map<String, Object> weights) {
        return Map.of("quant_method", "compressed-tensors", "format", format, "config_groups",
                Map.of("group_0", Map.of("weights", weights)));
    }

    @Test
    void factorsOfCompressedFloatsAreOfRowsOrOfAll() {
        Quantization rows = of(scheme("float-quantized", Map.of("num_bits", 8, "type", "float", "strategy", "channel")));
        Quantization all = of(scheme("float-quantized", Map.of("num_bits", 8, "type", "float", "strategy", "tensor")));

        assertThat(rows.method()).isEqualTo(Method.FP8);
        assertThat(rows.blockRows()).isEqualTo(1);
        assertThat(all.blockRows()).isEqualTo(Integer.MAX_VALUE);
        assertThat(rows.factors()).isEqualTo("_scale");
    }

    @Test
    void ofSeveralSchemesNoneIsGuessed() {
        assertThatThrownBy(() -> of(Map.of("quant_method", "compressed-tensors", "format", "pack-quantized", "config_groups",
                Map.of("group_0", Map.of("weights", Map.of("num_bits", 4, "strategy", "channel")), "group_1",
                        Map.of("weights", Map.of("num_bits", 8, "strategy", "channel"))))))
                .hasMessageContainingAll("config_groups", "the same scheme");
    }

    @Test
    void blocksAndFormatsThatCannotBeReadAreRefused() {
        assertThatThrownBy(() -> of(Map.of("quant_method", "fp8", "weight_block_size", List.of(128))))
                .hasMessageContaining("[weight_block_size] is [[128]], expected rows and columns");
        assertThatThrownBy(() -> of(Map.of("quant_method", "fp8", "fmt", "e5m2"))).hasMessageContaining("[fmt] is [e5m2]");
    }
}
