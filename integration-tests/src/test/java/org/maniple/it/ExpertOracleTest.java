package org.maniple.it;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Oracle checkpoints with experts on layouts: hidden states, chosen experts, logits and greedy tokens are those of the reference implementation. */
class ExpertOracleTest {

    static final List<Layout> LAYOUTS = List.of(Layout.of(1, 1), Layout.of(2, 1), Layout.of(1, 2), Layout.of(1, 1).replicas(2),
            Layout.of(2, 1).attentionOf(2), Layout.of(2, 1).experts(), Layout.of(4, 1).experts().with("expert-placement-strategy", "round_robin", ""),
            Layout.of(1, 1).attentionOf(4).experts(), Layout.of(2, 1).attentionOf(2).experts(),
            Layout.of(2, 1).attentionOf(2).experts().with("all2all-backend", "direct", ""),
            Layout.of(2, 1).attentionOf(2).experts().with("all2all-backend", "direct", "").with("moe-combine", "expert-order", ""),
            Layout.of(2, 1).attentionOf(2).experts().with("moe-combine", "expert-order", ""),
            Layout.of(1, 2).attentionOf(2).experts().with("all2all-backend", "direct", "").with("num-redundant-experts", 8, "redundant"),
            Layout.of(2, 1).attentionOf(2).experts().with("numerics", "exact", ""));

    static Stream<Arguments> checkpointsAndLayouts() {
        return Oracles.EXPERTS.stream().filter(m -> System.getProperty("maniple.model", "").isEmpty() || m.matches(System.getProperty("maniple.model")))
                .flatMap(model -> LAYOUTS.stream().filter(l -> l.name().matches(System.getProperty("maniple.layout", ".*"))).map(layout -> Arguments.of(model, layout)));
    }

    @ParameterizedTest(name = "{0} on {1}")
    @MethodSource("checkpointsAndLayouts")
    void matchesTheReference(String model, Layout layout) {
        ReferenceCheck.check(Oracles.model(model), layout);
    }
}
