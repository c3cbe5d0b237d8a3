package org.maniple.it;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every GGUF oracle: hidden states, logits and greedy tokens are those that the dequantised weights give. */
class GgufOracleTest {

    static final List<String> FILES = List.of("llama-f32", "llama-f16", "llama-bf16", "llama-q8_0", "llama-q4_0", "llama-q4_1",
            "llama-q5_0", "llama-q5_1", "llama-q4_k_m", "llama-q5_k", "llama-q3_k-random");

    static Stream<Arguments> filesAndLayouts() {
        List<Layout> layouts = List.of(Layout.of(1, 1), Layout.of(2, 1), Layout.of(1, 2));
        return FILES.stream().flatMap(file -> layouts.stream().map(layout -> Arguments.of(file, layout)));
    }

    @ParameterizedTest(name = "{0} on {1}")
    @MethodSource("filesAndLayouts")
    void matchesTheReference(String file, Layout layout) {
        ReferenceCheck.check(Oracles.directory().resolve("gguf").resolve(file + ".gguf"),
                layout.with("activation-dtype", "f32", "f32"));
    }
}
