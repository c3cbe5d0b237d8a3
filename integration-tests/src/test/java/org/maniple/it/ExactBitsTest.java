package org.maniple.it;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.kernel.step.StepBatch;

/**
 * With numerics exact, the bits of logits are the same on every layout. Each checkpoint with experts runs on some of the layouts, and on all of them
 * with {@code -Dmaniple.layouts=all}, over as many tokens as the references have.
 */
class ExactBitsTest {

    private static final StepBatch.Limits LIMITS = new StepBatch.Limits(1024, 32, 2048, 256, 16);
    private static final boolean ALL = System.getProperty("maniple.layouts", "").equals("all");
    private static final int STEPS = ALL ? Integer.MAX_VALUE : 5;
    private static final Map<String, List<int[]>> ALONE = new ConcurrentHashMap<>();

    private static final List<String> DENSE = List.of("llama-plain", "qwen3-tied", "llama-tied-bias-bf16");
    private static final List<String> EXPERTS = List.of("deepseek-v2-group", "deepseek-v3", "deepseek-v3-fp8", "gpt-oss-bf16",
            "olmoe",
            "qwen3-moe", "glm4-moe", "mixtral");

    private static final List<Layout> ALWAYS = List.of(Layout.of(2, 1), Layout.of(4, 1), Layout.of(2, 2),
            Layout.of(2, 1).attentionOf(2));
    private static final List<Layout> SPREAD = List.of(Layout.of(2, 1).experts(), Layout.of(4, 1).experts(),
            Layout.of(2, 1).experts().with("expert-placement-strategy", "round_robin", ""),
            Layout.of(2, 1).attentionOf(2).experts(),
            Layout.of(2, 1).attentionOf(2).experts().with("all2all-backend", "direct", ""),
            Layout.of(1, 2).attentionOf(2).experts().with("all2all-backend", "direct", "").with("num-redundant-experts", 8,
                    "redundant"),
            Layout.of(4, 1).experts().with("num-redundant-experts", 4, "redundant"));

    static Stream<Arguments> checkpointsAndLayouts() {
        var arguments = new ArrayList<Arguments>();
        DENSE.forEach(model -> ALWAYS.forEach(layout -> arguments.add(Arguments.of(model, layout))));
        var all = new ArrayList<>(ALWAYS);
        all.addAll(SPREAD);
        for (int i = 0; i < EXPERTS.size(); i++) {
            for (int j = 0; j < all.size(); j++) {
                if (ALL || j % 5 == i % 5) {
                    arguments.add(Arguments.of(EXPERTS.get(i), all.get(j)));
                }
            }
        }
        String wanted = System.getProperty("maniple.model", ".*");
        return arguments.stream().filter(a -> a.get()[0].toString().matches(wanted));
    }

    @ParameterizedTest(name = "{0} on {1}")
    @MethodSource("checkpointsAndLayouts")
    void logitsHaveTheBitsOfOneRank(String model, Layout layout) {
        List<int[]> alone = ALONE.computeIfAbsent(model, m -> decode(m, Layout.of(1, 1)));
        List<int[]> spread = decode(model, layout);
        for (int i = 0; i < alone.size(); i++) {
            assertArrayEquals(alone.get(i), spread.get(i), "row " + i);
        }
    }

    /** Keys and values are rounded position by position and head by head, wherever they are. */
    @ParameterizedTest(name = "{0} on {1} with {2}")
    @MethodSource("roundedCaches")
    void logitsHaveTheBitsOfOneRankWithACacheThatRounds(String model, Layout layout, String type) {
        List<int[]> alone = decode(model, Layout.of(1, 1).with("kv-cache-dtype", type, ""));
        List<int[]> spread = decode(model, layout.with("kv-cache-dtype", type, ""));
        for (int i = 0; i < alone.size(); i++) {
            assertArrayEquals(alone.get(i), spread.get(i), "row " + i);
        }
    }

    static Stream<Arguments> roundedCaches() {
        return Stream.of(Arguments.of("llama-plain", Layout.of(2, 2), "int8"),
                Arguments.of("llama-plain", Layout.of(2, 1).attentionOf(2), "bf16"),
                Arguments.of("deepseek-v3", Layout.of(2, 1).attentionOf(2).experts(), "int8"),
                Arguments.of("gpt-oss-bf16", Layout.of(4, 1).experts(), "bf16"));
    }

    /** The bits of the logits of some prompts and their continuations, together in batches. */
    private static List<int[]> decode(String model, Layout layout) {
        Path directory = Oracles.model(model);
        List<Expected.Prompt> prompts = new Expected(directory).prompts().subList(0, 4);
        try (var unit = new VirtualUnit(directory, layout.with("numerics", "exact", ""), LIMITS, 512)) {
            var sequences = new Sequences(unit.pipeline(), unit.program().graph().vocabulary());
            return sequences.follow(prompts, STEPS).stream().map(Sequences::bits).toList();
        }
    }
}
