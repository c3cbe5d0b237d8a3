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
        assertThatThrownBy(() -> of(Map.of("quant_method", "gptq"))).isInstanceOf(ModelConfigException.class)
                .hasMessageContainingAll("config.json quantization_config", "[quant_method] is [gptq]", "fp8", "mxfp4");
        assertThatThrownBy(() -> of(Map.of("bits", 4))).isInstanceOf(ModelConfigException.class)
                .hasMessageContaining("[quant_method] is [null]");
    }

    @Test
    void blocksAndFormatsThatCannotBeReadAreRefused() {
        assertThatThrownBy(() -> of(Map.of("quant_method", "fp8", "weight_block_size", List.of(128))))
                .hasMessageContaining("[weight_block_size] is [[128]], expected rows and columns");
        assertThatThrownBy(() -> of(Map.of("quant_method", "fp8", "fmt", "e5m2"))).hasMessageContaining("[fmt] is [e5m2]");
    }
}
