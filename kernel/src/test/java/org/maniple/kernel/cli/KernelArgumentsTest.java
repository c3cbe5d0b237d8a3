package org.maniple.kernel.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.maniple.api.tensor.DType;
import org.maniple.kernel.bench.KernelCase;
import org.maniple.kernel.config.ConfigurationException;

class KernelArgumentsTest {

    @Test
    void typesAreMeasuredInEveryShapeWithAscendingRows() {
        KernelArguments arguments = KernelArguments.parse(List.of("--types", "q8_0,BF16", "--shapes", "64x32,8x256", "--rows",
                "16,1,16", "--memory", "2MiB", "--seconds", "0.25", "-o", "json", "--cpu-isa", "avx2"));

        assertThat(arguments.cases()).containsExactly(new KernelCase(DType.Q8_0, 64, 32), new KernelCase(DType.BF16, 64, 32),
                new KernelCase(DType.Q8_0, 8, 256), new KernelCase(DType.BF16, 8, 256));
        assertThat(arguments.rows()).containsExactly(1, 16);
        assertThat(arguments.memoryBytes()).isEqualTo(2 << 20);
        assertThat(arguments.seconds()).isEqualTo(0.25);
        assertThat(arguments.json()).isTrue();
        assertThat(arguments.unit()).as("flags of units").containsExactly("--cpu-isa", "avx2");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"--types | I8 | --types: [I8] is no type of weights; there are [F32, F16, BF16, ",
        "--shapes | 4096 | --shapes: [4096] is no shape; give rows and columns like 4096x4096",
        "--shapes | 64x40 | --shapes: rows of 40 elements are not whole blocks of Q8_0 (32 elements each)",
        "--rows | 5000 | --rows: at most 4096 rows can be measured at once",
        "--memory | 768 | --memory: [768] is no size; give one like 768MiB or 2GiB",
        "--seconds | 0 | --seconds: [0] is not a number above 0", "--output | xml | --output: [xml] is neither table nor json"})
    void mistakesAreNamedWithWhatIsRight(String flag, String value, String message) {
        List<String> words = flag.equals("--types") ? List.of(flag, value) : List.of("--types", "Q8_0", flag, value);
        assertThatThrownBy(() -> KernelArguments.parse(words)).isInstanceOf(ConfigurationException.class)
                .hasMessageContaining(message);
    }
}
