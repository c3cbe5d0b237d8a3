package org.maniple.it;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The committed references of architectures without an oracle on layouts: hidden states, chosen experts, logits and greedy tokens are those
 * of transformers.
 */
class CommittedReferencesTest {

    static final List<Layout> LAYOUTS = List.of(Layout.of(1, 1), Layout.of(2, 1), Layout.of(4, 1), Layout.of(2, 2),
            Layout.of(3, 1),
            Layout.of(1, 1).replicas(2), Layout.of(2, 1).attentionOf(2));

    static Stream<Arguments> referencesAndLayouts() {
        return Oracles.REFERENCES.stream().flatMap(model -> LAYOUTS.stream().map(layout -> Arguments.of(model, layout)));
    }

    @ParameterizedTest(name = "{0} on {1}")
    @MethodSource("referencesAndLayouts")
    void matchesTheReference(String model, Layout layout) {
        ReferenceCheck.check(Oracles.reference(model), layout);
    }
}
