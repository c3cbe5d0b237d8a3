package org.maniple.it;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Checkpoints with experts on layouts: hidden states, chosen experts, logits and greedy tokens are those of the reference implementation. Every
 * checkpoint runs on a few layouts that together have everything; with {@code -Dmaniple.layouts=all} each of them runs on the full product of
 * expert parallelism, attention, stages, back ends, combines, placements and redundant experts.
 */
class ExpertOracleTest {

    private static final boolean ALL = System.getProperty("maniple.layouts", "").equals("all");

    /** With each checkpoint one of these, in turn, beside the first. */
    static final List<Layout> FEW = List.of(Layout.of(2, 1), Layout.of(2, 1).attentionOf(2), Layout.of(1, 2).replicas(2),
            Layout.of(2, 1).experts(), roundRobin(Layout.of(4, 1).experts()), direct(Layout.of(1, 1).attentionOf(4).experts()),
            Layout.of(2, 1).attentionOf(2).experts(), inOrder(direct(Layout.of(2, 1).attentionOf(2).experts())),
            inOrder(Layout.of(2, 1).attentionOf(2).experts()), redundant(direct(Layout.of(1, 2).attentionOf(2).experts())),
            redundant(Layout.of(2, 2).experts()), direct(Layout.of(2, 1).attentionOf(2).experts()));

    static Stream<Arguments> checkpointsAndLayouts() {
        var models = new ArrayList<>(Oracles.EXPERTS);
        models.add("demo-moe");
        var arguments = new ArrayList<Arguments>();
        for (int i = 0; i < models.size(); i++) {
            List<Layout> layouts = ALL
                    ? product()
                    : List.of(Layout.of(1, 1), FEW.get(i % FEW.size()), FEW.get((i + 5) % FEW.size()));
            for (Layout layout : layouts) {
                arguments.add(Arguments.of(models.get(i), layout));
            }
        }
        String wanted = System.getProperty("maniple.model", ".*");
        return arguments.stream().filter(a -> a.get()[0].toString().matches(wanted));
    }

    /** Everything with everything, up to four ranks. */
    static List<Layout> product() {
        var layouts = new ArrayList<Layout>();
        layouts.addAll(List.of(Layout.of(1, 1), Layout.of(2, 1), Layout.of(4, 1), Layout.of(1, 2), Layout.of(2, 2),
                Layout.of(1, 1).replicas(2),
                Layout.of(2, 1).attentionOf(2), Layout.of(1, 1).attentionOf(4), Layout.of(1, 2).attentionOf(2),
                Layout.of(2, 1).attentionOf(2).with("enable-dp-lm-head", true, "head")));
        List<Layout> attention = List.of(Layout.of(1, 1).experts(), Layout.of(2, 1).experts(), Layout.of(4, 1).experts(),
                Layout.of(2, 2).experts(),
                Layout.of(1, 1).attentionOf(2).experts(), Layout.of(1, 1).attentionOf(4).experts(),
                Layout.of(2, 1).attentionOf(2).experts(),
                Layout.of(1, 2).attentionOf(2).experts(),
                Layout.of(2, 1).attentionOf(2).experts().with("enable-dp-lm-head", true, "head"));
        for (Layout base : attention) {
            for (Layout sent : List.of(base, direct(base))) {
                for (Layout combined : List.of(sent, inOrder(sent))) {
                    layouts.addAll(List.of(combined, roundRobin(combined), redundant(combined)));
                }
            }
        }
        return layouts;
    }

    private static Layout direct(Layout layout) {
        return layout.with("all2all-backend", "direct", "");
    }

    private static Layout inOrder(Layout layout) {
        return layout.with("moe-combine", "expert-order", "");
    }

    private static Layout roundRobin(Layout layout) {
        return layout.with("expert-placement-strategy", "round_robin", "");
    }

    private static Layout redundant(Layout layout) {
        return layout.with("num-redundant-experts", 4, "redundant");
    }

    /** A file that deals experts unevenly, differently on each block, and holds one of them twice. */
    @Test
    void aPlacementFromAFileGivesTheSame(@TempDir Path directory) throws IOException {
        Path file = directory.resolve("placement.json");
        String one = "[[7, 0, 3, 1, 2], [4, 5, 6, 0, 7]]";
        String other = "[[0, 1, 2, 3, 4], [5, 6, 7, 1, 0]]";
        Files.writeString(file, "[null, " + String.join(", ", one, other, one, other, one) + "]");
        ReferenceCheck.check(Oracles.model("deepseek-v2-lite"),
                Layout.of(2, 1).experts().with("expert-placement-file", file.toString(), "file"));
    }

    @ParameterizedTest(name = "{0} on {1}")
    @MethodSource("checkpointsAndLayouts")
    void matchesTheReference(String model, Layout layout) {
        ReferenceCheck.check(Oracles.model(model), layout);
    }
}
