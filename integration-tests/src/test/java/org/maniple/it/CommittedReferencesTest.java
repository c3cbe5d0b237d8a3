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

    /** For those with experts. */
    static final List<Layout> SPREAD = List.of(Layout.of(4, 1).experts(), Layout.of(2, 1).attentionOf(2).experts(),
            Layout.of(1, 2).attentionOf(2).experts().with("all2all-backend", "direct", "").with("num-redundant-experts", 4,
                    "redundant"));

    static Stream<Arguments> referencesAndLayouts() {
        return Oracles.REFERENCES.stream().flatMap(model -> Stream.concat(LAYOUTS.stream(),
                model.equals("granite") ? Stream.empty() : SPREAD.stream()).map(layout -> Arguments.of(model, layout)));
    }

    @ParameterizedTest(name = "{0} on {1}")
    @MethodSource("referencesAndLayouts")
    void matchesTheReference(String model, Layout layout) {
        ReferenceCheck.check(Oracles.reference(model), layout);
    }
}
