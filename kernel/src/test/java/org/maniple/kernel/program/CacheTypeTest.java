package org.maniple.kernel.program;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;
import org.maniple.kernel.config.KernelOptions;

class CacheTypeTest {

    @Test
    void everyWordOfTheConfigurationIsAType() {
        assertThat(KernelOptions.CACHE_TYPES.stream().map(CacheType::of)).containsExactly(CacheType.F32, CacheType.F32,
                CacheType.F32, CacheType.BF16, CacheType.BF16, CacheType.INT8);
        assertThatThrownBy(() -> CacheType.of("fp4")).hasMessage("kv-cache-dtype: fp4");
    }

    @Test
    void countsTheFactorsOfHeads() {
        assertThat(CacheType.F32.bytes(3, 192)).isEqualTo(768);
        assertThat(CacheType.BF16.bytes(3, 192)).isEqualTo(384);
        assertThat(CacheType.INT8.bytes(3, 192)).isEqualTo(204);
    }

    @Test
    void takesAsMuchMemoryAsItCounts() {
        for (CacheType type : CacheType.values()) {
            var sizes = new ArrayList<Long>();
            Tensor state = type.tensor(new int[] {32, 3, 64}, bytes -> {
                sizes.add(bytes);
                return Arena.ofAuto().allocate(bytes, 64);
            });
            assertThat(sizes.stream().mapToLong(Long::longValue).sum()).isEqualTo(32 * type.bytes(3, 192));
            assertThat(state.rows()).isEqualTo(32);
            assertThat(state.width()).isEqualTo(192);
        }
    }

    @Test
    void bytesHaveAFactorForEachPositionAndHead() {
        Tensor state = CacheType.INT8.tensor(new int[] {32, 3, 64}, bytes -> Arena.ofAuto().allocate(bytes, 64));
        assertThat(state.dtype()).isEqualTo(DType.I8);
        assertThat(state.scales().orElseThrow().ends()).isEqualTo(List.of(64));
        assertThat(state.scales().orElseThrow().factors()).hasToString("F32[32, 3]");
    }
}
