package org.maniple.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.api.tensor.DType;
import org.maniple.it.Sequences.Sequence;
import org.maniple.it.Sequences.Span;
import org.maniple.kernel.program.CompileException;
import org.maniple.kernel.step.StepBatch;
import org.maniple.kernel.step.StepBatch.Rows;

/**
 * Mixtures of experts in GGUF files whose stacked matrices are quantised, on layouts that spread experts, cut them, or replicate attention: they
 * give what the floats give that their blocks stand for. Every model runs with one type on two layouts; with all on all by
 * {@code -Dmaniple.layouts=all}.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GgufMixturesTest {

    private static final boolean ALL = System.getProperty("maniple.layouts", "").equals("all");
    private static final StepBatch.Limits LIMITS = new StepBatch.Limits(256, 32, 512, 64, 16);
    private static final int STEPS = 4;
    private static final float LOGITS = 5e-3f;

    /** Columns of experts that two ranks can share by whole blocks of 32 almost evenly, by blocks of 256, and by neither. */
    private static final List<String> RANDOM = List.of("random-352", "random-512", "random-288");
    private static final List<String> ORACLES = List.of("qwen3-moe", "mixtral", "deepseek-v3", "gpt-oss-bf16", "olmoe",
            "glm4-moe", "deepseek-v2-group");
    private static final List<DType> BLOCKS_OF_32 = List.of(DType.Q8_0, DType.Q4_0, DType.MXFP4);
    private static final List<DType> BLOCKS_OF_256 = List.of(DType.Q4_K, DType.Q6_K);
    private static final List<Layout> LAYOUTS = List.of(Layout.of(2, 1).experts(), Layout.of(2, 1), Layout.of(4, 1).experts(),
            Layout.of(1, 2), Layout.of(4, 1), Layout.of(1, 1).attentionOf(2), Layout.of(2, 1).attentionOf(2).experts(),
            Layout.of(1, 2).attentionOf(2).experts().with("all2all-backend", "direct", ""));

    private final Map<String, Path> files = new ConcurrentHashMap<>();
    private final Map<String, List<float[]>> references = new ConcurrentHashMap<>();
    private final Map<String, int[][]> exact = new ConcurrentHashMap<>();
    private final Path folder;

    GgufMixturesTest(@TempDir Path folder) {
        this.folder = folder;
    }

    static Stream<Arguments> modelsAndLayouts() {
        var arguments = new ArrayList<Arguments>();
        for (int i = 0; i < ORACLES.size(); i++) {
            for (int j = 0; j < BLOCKS_OF_32.size(); j++) {
                for (int k = 0; k < LAYOUTS.size(); k++) {
                    if (ALL || i % BLOCKS_OF_32.size() == j && k % 4 == i % 4) {
                        arguments.add(Arguments.of(ORACLES.get(i), BLOCKS_OF_32.get(j), LAYOUTS.get(k)));
                    }
                }
            }
        }
        for (int k = 0; k < LAYOUTS.size(); k++) {
            for (DType type : BLOCKS_OF_256) {
                arguments.add(Arguments.of("random-512", type, LAYOUTS.get(k)));
            }
        }
        for (String model : RANDOM) {
            arguments.add(Arguments.of(model, DType.Q8_0, Layout.of(2, 1)));
            arguments.add(Arguments.of(model, DType.MXFP4, Layout.of(4, 1)));
        }
        return arguments.stream();
    }

    @ParameterizedTest(name = "{0} in {1} on {2}")
    @MethodSource("modelsAndLayouts")
    void giveWhatTheDecodedWeightsGive(String model, DType type, Layout layout) {
        List<float[]> expected = references.computeIfAbsent(model + type,
                key -> run(file(model, type, true), Layout.of(1, 1)));
        List<float[]> found = run(file(model, type, false), layout);
        for (int row = 0; row < expected.size(); row++) {
            assertThat(found.get(row)).as("row %d", row).usingComparatorWithPrecision(LOGITS)
                    .containsExactly(expected.get(row));
        }
    }

    static Stream<Arguments> models() {
        return Stream.concat(RANDOM.stream().flatMap(model -> Stream.of(DType.Q8_0, DType.MXFP4, DType.Q4_0)
                .map(type -> Arguments.of(model, type))), BLOCKS_OF_256.stream().map(type -> Arguments.of("random-512", type)));
    }

    @ParameterizedTest(name = "{0} in {1}")
    @MethodSource("models")
    void haveTheBitsOfTheDecodedWeightsOnOneRank(String model, DType type) {
        assertThat(bits(run(file(model, type, false), Layout.of(1, 1))))
                .isDeepEqualTo(bits(run(file(model, type, true), Layout.of(1, 1))));
    }

    /** Ranks whose parts begin and end between blocks, and in the same places as eighths do. */
    static Stream<Arguments> evenCuts() {
        Layout ep2 = Layout.of(2, 1).experts();
        Layout attention = Layout.of(1, 1).attentionOf(2);
        Layout stages = Layout.of(1, 2);
        Layout direct = Layout.of(1, 2).attentionOf(2).experts().with("all2all-backend", "direct", "");
        Stream<Arguments> oracles = Stream.of(Arguments.of("qwen3-moe", DType.Q8_0, ep2),
                Arguments.of("mixtral", DType.Q4_0, Layout.of(2, 1)), Arguments.of("mixtral", DType.MXFP4, attention),
                Arguments.of("olmoe", DType.Q4_0, ep2), Arguments.of("gpt-oss-bf16", DType.Q8_0, direct));
        Stream<Arguments> small = Stream.of(Layout.of(2, 1), ep2, Layout.of(4, 1), Layout.of(4, 1).experts(),
                Layout.of(2, 1).attentionOf(2).experts()).map(layout -> Arguments.of("random-512", DType.Q8_0, layout));
        Stream<Arguments> large = BLOCKS_OF_256.stream().flatMap(type -> Stream.of(stages, attention, direct)
                .map(layout -> Arguments.of("random-512", type, layout)));
        return Stream.of(oracles, small, large).flatMap(cases -> cases);
    }

    @ParameterizedTest(name = "{0} in {1} on {2}")
    @MethodSource("evenCuts")
    void haveTheBitsOfOneRankIfNumericsAreExact(String model, DType type, Layout layout) {
        for (String activations : List.of("auto", "f32")) {
            Path file = file(model, type, false);
            int[][] alone = exact.computeIfAbsent(file + activations,
                    key -> bits(run(file, exact(Layout.of(1, 1), activations))));
            assertThat(bits(run(file, exact(layout, activations)))).as("activations %s", activations).isDeepEqualTo(alone);
        }
    }

    /** Two ranks would have to share a block of activations, or their parts are not equal. */
    static Stream<Arguments> unevenCuts() {
        return Stream.of(Arguments.of("random-512", DType.Q4_K, Layout.of(2, 1)),
                Arguments.of("random-512", DType.Q6_K, Layout.of(4, 1).experts()),
                Arguments.of("random-288", DType.Q8_0, Layout.of(2, 1)),
                Arguments.of("random-352", DType.MXFP4, Layout.of(2, 1)),
                Arguments.of("deepseek-v3", DType.MXFP4, Layout.of(2, 1).attentionOf(2).experts()),
                Arguments.of("glm4-moe", DType.MXFP4, Layout.of(2, 1)));
    }

    @ParameterizedTest(name = "{0} in {1} on {2}")
    @MethodSource("unevenCuts")
    void areRefusedWithTheReasonWhereExactNumericsCannotHold(String model, DType type, Layout layout) {
        for (String activations : List.of("auto", "f32")) {
            assertThatThrownBy(() -> run(file(model, type, false), exact(layout, activations)))
                    .isInstanceOf(CompileException.class).hasMessageMatching("numerics \\[exact\\]: CONTRACT .* sums over "
                            + ".*, of which rank 0 has .*; for the same bits on every layout each of the . ranks must have an "
                            + "equal part that consists of whole eighths, .*; choose such sizes, or numerics fast");
        }
    }

    private static Layout exact(Layout layout, String activations) {
        return layout.with("numerics", "exact", "").with("activation-dtype", activations, "");
    }

    /** A file of a model in a type, or with the floats that its blocks stand for. */
    private Path file(String model, DType type, boolean decoded) {
        return files.computeIfAbsent(model + "-" + type + (decoded ? "-decoded" : ""), name -> {
            GgufWriter writer = model.startsWith("random-")
                    ? RandomMixture.of(type, Integer.parseInt(model.replace("random-", "")))
                    : GgufConverter.convert(Oracles.model(model), type, false);
            Path file = folder.resolve(name + ".gguf");
            (decoded ? writer.decoded() : writer).write(file);
            return file;
        });
    }

    /** The logits of the last tokens of some prompts and of what follows them, all of it at random. */
    private static List<float[]> run(Path file, Layout layout) {
        var rows = new ArrayList<float[]>();
        try (var unit = new VirtualUnit(file, layout, LIMITS, 64)) {
            int vocabulary = unit.program().graph().vocabulary();
            var random = new Random(8);
            var sequences = new Sequences(unit.pipeline(), vocabulary);
            var open = new ArrayList<Sequence>();
            for (int step = 0; step <= STEPS; step++) {
                var spans = new ArrayList<Span>();
                for (int length : new int[] {7, 33, 3, 1}) {
                    if (step == 0) {
                        open.add(sequences.open(length + STEPS));
                    }
                    spans.add(new Span(open.get(spans.size()), random.ints(step == 0 ? length : 1, 0, vocabulary).toArray(),
                            Rows.LAST));
                }
                rows.addAll(sequences.run(spans));
            }
        }
        return rows;
    }

    private static int[][] bits(List<float[]> rows) {
        return rows.stream().map(row -> {
            int[] bits = new int[row.length];
            Arrays.setAll(bits, i -> Float.floatToRawIntBits(row[i]));
            return bits;
        }).toArray(int[][]::new);
    }
}
