package org.maniple.it;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.api.engine.ExpertStatus;
import org.maniple.kernel.step.StepBatch;

/** Experts change their places while sequences are decoded, and nobody sees it in the output. */
class RebalancingTest {

    private static final StepBatch.Limits LIMITS = new StepBatch.Limits(1024, 32, 2048, 256, 16);
    private static final int PROMPTS = 4;
    private static final int INTERVAL = 8;
    /** Far more than a round ever takes. */
    private static final int MOST_PASSES = 200;

    private static final Layout FOUR = Layout.of(2, 1).attentionOf(2).experts();
    private static final Layout DIRECT = FOUR.with("all2all-backend", "direct", "");
    private static final Pattern ROUND = Pattern
            .compile("experts: round 1: balancedness (?<before>[0-9.]+) before, (?<after>[0-9.]+) after; .*");

    private static final Layout STAGES = Layout.of(1, 2).attentionOf(2).experts();

    static Stream<Arguments> layoutsThatKeepBits() {
        return Stream.of(
                Arguments.of("qwen3-moe", FOUR.with("moe-combine", "expert-order", "")),
                Arguments.of("qwen3-moe",
                        DIRECT.with("moe-combine", "expert-order", "").with("num-redundant-experts", 4, "redundant")),
                Arguments.of("deepseek-v3-fp8",
                        DIRECT.with("moe-combine", "expert-order", "").with("num-redundant-experts", 4, "redundant")),
                Arguments.of("gpt-oss-bf16", FOUR.with("numerics", "exact", "")),
                Arguments.of("deepseek-v3",
                        STAGES.with("moe-combine", "expert-order", "").with("num-redundant-experts", 2, "redundant")));
    }

    @ParameterizedTest(name = "{0} on {1}")
    @MethodSource("layoutsThatKeepBits")
    void logitsKeepTheirBits(String model, Layout layout) {
        Path directory = Oracles.model(model);
        List<int[]> expected;
        try (var unit = new VirtualUnit(directory, layout, LIMITS, 512)) {
            expected = pass(unit, new Expected(directory).prompts());
        }
        try (var unit = new VirtualUnit(directory, rebalancing(layout, 2), LIMITS, 512)) {
            untilRounds(unit, rounds -> rounds >= 2, directory, rows -> {
                for (int i = 0; i < rows.size(); i++) {
                    assertArrayEquals(expected.get(i), rows.get(i), "row " + i);
                }
            });
            assertChanged(unit);
        }
    }

    static Stream<Arguments> layoutsThatSumOnRanks() {
        return Stream.of(
                Arguments.of("qwen3-moe", FOUR.with("num-redundant-experts", 4, "redundant")),
                Arguments.of("deepseek-v3", DIRECT),
                Arguments.of("mixtral", Layout.of(2, 2).experts()));
    }

    @ParameterizedTest(name = "{0} on {1}")
    @MethodSource("layoutsThatSumOnRanks")
    void tokensStayThoseOfTheReference(String model, Layout layout) {
        Path directory = Oracles.model(model);
        List<Expected.Prompt> prompts = new Expected(directory).prompts();
        try (var unit = new VirtualUnit(directory, rebalancing(layout, 2), LIMITS, 512)) {
            untilRounds(unit, rounds -> rounds >= 2, directory, rows -> {
                for (int i = 0; i < rows.size(); i++) {
                    Expected.Prompt prompt = prompts.get(i % PROMPTS);
                    assertEquals(prompt.output()[i / PROMPTS], argmax(rows.get(i)), prompt.name() + ", step " + i / PROMPTS);
                }
            });
            assertChanged(unit);
        }
    }

    private static Layout rebalancing(Layout layout, int chunk) {
        return layout.with("enable-eplb", true, "eplb").with("eplb-step-interval", INTERVAL, "")
                .with("eplb-window-size", 3 * INTERVAL, "").with("eplb-rebalance-layers-per-chunk", chunk, "")
                .with("eplb-log-balancedness", true, "");
    }

    /** Decodes the same prompts again and again until some rounds are over. */
    private static void untilRounds(VirtualUnit unit, IntPredicate enough, Path directory,
            java.util.function.Consumer<List<int[]>> check) {
        List<Expected.Prompt> prompts = new Expected(directory).prompts();
        for (int pass = 0; !enough.test(unit.experts().rounds()); pass++) {
            assertTrue(pass < MOST_PASSES,
                    "no more than " + unit.experts().rounds() + " rounds in " + pass + " passes: " + unit.lines());
            check.accept(pass(unit, prompts));
        }
    }

    /** Experts have changed their places, and the first round found a better placement for the loads that it had seen. */
    private static void assertChanged(VirtualUnit unit) {
        ExpertStatus status = unit.experts();
        assertEquals(0, status.abandonedRounds(), () -> "lines: " + unit.lines());
        assertEquals(status.rounds(), unit.lines().size(), () -> "lines: " + unit.lines());
        assertTrue(status.layers().stream().anyMatch(layer -> layer.version() > 0), "no layer has changed: " + unit.lines());
        Matcher first = ROUND.matcher(unit.lines().getFirst());
        assertTrue(first.matches(), unit.lines().getFirst());
        assertTrue(Double.parseDouble(first.group("after")) > Double.parseDouble(first.group("before")), first.group());
    }

    /** Some prompts together, then their continuations; the bits of all rows of logits. */
    private static List<int[]> pass(VirtualUnit unit, List<Expected.Prompt> all) {
        List<Expected.Prompt> prompts = all.subList(0, PROMPTS);
        var sequences = new Sequences(unit.pipeline(), unit.program().graph().vocabulary());
        return sequences.follow(prompts, Integer.MAX_VALUE).stream().map(Sequences::bits).toList();
    }

    private static int argmax(int[] bits) {
        float[] row = new float[bits.length];
        for (int i = 0; i < bits.length; i++) {
            row[i] = Float.intBitsToFloat(bits[i]);
        }
        return Sequences.argmax(row);
    }
}
