package org.maniple.it;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every dense oracle checkpoint on every layout: hidden states, logits and greedy tokens are those of the reference implementation. */
class OracleLayoutTest {

    static final List<Layout> LAYOUTS = List.of(Layout.of(1, 1), Layout.of(2, 1), Layout.of(4, 1), Layout.of(1, 2),
            Layout.of(1, 3),
            Layout.of(2, 2), Layout.of(3, 1), Layout.of(2, 1).weighted(1, 2), Layout.of(3, 1).weighted(3, 2, 3),
            Layout.of(1, 2).stages(4, 2), Layout.of(2, 3).weighted(3, 5).stages(1, 3, 2));

    static Stream<Arguments> checkpointsAndLayouts() {
        var names = new ArrayList<>(Oracles.DENSE);
        names.add("demo-dense");
        return names.stream().flatMap(model -> LAYOUTS.stream().map(layout -> Arguments.of(model, layout)));
    }

    @ParameterizedTest(name = "{0} on {1}")
    @MethodSource("checkpointsAndLayouts")
    void matchesTheReference(String model, Layout layout) {
        ReferenceCheck.check(Oracles.model(model), layout);
    }

    /** The one checkpoint that is part of this repository, so that this runs where no others are. */
    @ParameterizedTest(name = "committed checkpoint on {0}")
    @MethodSource("layouts")
    void theCommittedCheckpointMatchesTheReference(Layout layout) {
        ReferenceCheck.check(Oracles.committed(), layout);
    }

    static List<Layout> layouts() {
        return List.of(Layout.of(1, 1), Layout.of(2, 1), Layout.of(1, 2), Layout.of(2, 2), Layout.of(3, 1));
    }
}
