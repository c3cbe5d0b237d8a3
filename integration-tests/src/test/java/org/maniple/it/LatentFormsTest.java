package org.maniple.it;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Latent attention gives the reference's tokens and logits in either of its forms. */
class LatentFormsTest {

    static Stream<Arguments> checkpointsAndForms() {
        return Stream.of("deepseek-v2-lite", "deepseek-v3", "deepseek-v3-fp8-ragged")
                .flatMap(model -> List.of("absorbed", "expanded").stream()
                        .map(form -> Arguments.of(model, Layout.of(2, 1).with("mla-form", form, ""))));
    }

    @ParameterizedTest(name = "{0} on {1}")
    @MethodSource("checkpointsAndForms")
    void matchesTheReference(String model, Layout layout) {
        ReferenceCheck.check(Oracles.model(model), layout);
    }
}
