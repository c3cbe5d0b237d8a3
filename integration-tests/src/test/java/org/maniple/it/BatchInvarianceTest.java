package org.maniple.it;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.it.Sequences.Sequence;
import org.maniple.it.Sequences.Span;
import org.maniple.kernel.step.StepBatch;
import org.maniple.kernel.step.StepBatch.Rows;

/** The bits of a request's logits depend neither on what else is in the batch nor on how its prompt was cut. */
class BatchInvarianceTest {

    private static final StepBatch.Limits LIMITS = new StepBatch.Limits(1024, 32, 2048, 256, 16);
    private static final int DECODES = 6;
    /** Each request lives in another home alone than in a batch, and redundant experts may compute it elsewhere. */
    private static final List<Layout> SPREAD = List.of(Layout.of(2, 1).experts().with("num-redundant-experts", 4, "redundant"),
            Layout.of(2, 1).attentionOf(2).experts().with("all2all-backend", "direct", ""),
            Layout.of(2, 1).attentionOf(2).experts().with("num-redundant-experts", 4, "redundant"));

    static Stream<Arguments> checkpointsAndLayouts() {
        var names = new ArrayList<>(Oracles.DENSE);
        names.add("demo-dense");
        Stream<Arguments> dense = names.stream().flatMap(model -> Stream.of(Layout.of(1, 1), Layout.of(2, 2), Layout.of(3, 1))
                .map(layout -> Arguments.of(model, layout)));
        boolean all = System.getProperty("maniple.layouts", "").equals("all");
        Stream<Arguments> experts = Oracles.EXPERTS.stream().flatMap(model -> SPREAD.stream()
                .filter(layout -> all || SPREAD.indexOf(layout) == Oracles.EXPERTS.indexOf(model) % SPREAD.size())
                .map(layout -> Arguments.of(model, layout)));
        return Stream.of(dense, experts, rounded()).flatMap(arguments -> arguments);
    }

    /** Caches that are not of floats: grouped heads, latents, windows and sinks; with kernels that may round activations, and with others. */
    private static Stream<Arguments> rounded() {
        return Stream.of(Arguments.of("llama-plain", Layout.of(2, 2).with("kv-cache-dtype", "bf16", "bf16 cache")),
                Arguments.of("llama-plain", rounded(Layout.of(1, 1), "int8")),
                Arguments.of("deepseek-v3", rounded(Layout.of(2, 1).attentionOf(2).experts(), "bf16")),
                Arguments.of("deepseek-v3",
                        Layout.of(1, 1).with("kv-cache-dtype", "int8", "cache").with("mla-form", "expanded", "")),
                Arguments.of("gpt-oss-bf16", rounded(Layout.of(2, 1), "int8")));
    }

    private static Layout rounded(Layout layout, String type) {
        return layout.with("kv-cache-dtype", type, "cache").with("activation-dtype", "auto", "activations");
    }

    @ParameterizedTest(name = "{0} on {1}")
    @MethodSource("checkpointsAndLayouts")
    void logitsAreBitEqualAloneAndInABatchAndInChunks(String model, Layout layout) {
        Path directory = Oracles.model(model);
        List<Expected.Prompt> prompts = new Expected(directory).prompts().subList(0, 8);
        try (var unit = new VirtualUnit(directory, layout, LIMITS, 512)) {
            var sequences = new Sequences(unit.pipeline(), unit.program().graph().vocabulary());
            List<List<float[]>> together = decodeTogether(sequences, prompts);
            for (int i = 0; i < prompts.size(); i++) {
                assertSame(prompts.get(i).name() + " alone", together.get(i),
                        decode(sequences, prompts.get(i), Integer.MAX_VALUE));
                assertSame(prompts.get(i).name() + " in chunks of 5", together.get(i), decode(sequences, prompts.get(i), 5));
            }
        }
    }

    private static List<List<float[]>> decodeTogether(Sequences sequences, List<Expected.Prompt> prompts) {
        var rows = new ArrayList<List<float[]>>();
        var open = new ArrayList<Sequence>();
        for (Expected.Prompt prompt : prompts) {
            open.add(sequences.open(prompt.ids().length + DECODES));
            rows.add(new ArrayList<>());
        }
        for (int step = 0; step <= DECODES; step++) {
            var spans = new ArrayList<Span>();
            for (int i = 0; i < open.size(); i++) {
                Expected.Prompt prompt = prompts.get(i);
                int[] tokens = step == 0 ? prompt.ids() : new int[] {prompt.output()[step - 1]};
                spans.add(new Span(open.get(i), tokens, Rows.LAST));
            }
            List<float[]> logits = sequences.run(spans);
            for (int i = 0; i < open.size(); i++) {
                rows.get(i).add(logits.get(i));
            }
        }
        return rows;
    }

    private static List<float[]> decode(Sequences sequences, Expected.Prompt prompt, int chunk) {
        Sequence sequence = sequences.open(prompt.ids().length + DECODES);
        var rows = new ArrayList<float[]>();
        for (int from = 0; from < prompt.ids().length; from += Math.min(chunk, prompt.ids().length)) {
            int to = (int) Math.min(prompt.ids().length, (long) from + chunk);
            boolean last = to == prompt.ids().length;
            int[] tokens = Arrays.copyOfRange(prompt.ids(), from, to);
            rows.addAll(sequences.run(List.of(new Span(sequence, tokens, last ? Rows.LAST : Rows.NONE))));
            if (last) {
                break;
            }
        }
        for (int step = 0; step < DECODES; step++) {
            rows.addAll(sequences.run(List.of(new Span(sequence, new int[] {prompt.output()[step]}, Rows.LAST))));
        }
        return rows;
    }

    private static void assertSame(String what, List<float[]> expected, List<float[]> actual) {
        for (int i = 0; i < expected.size(); i++) {
            assertArrayEquals(bits(expected.get(i)), bits(actual.get(i)), what + ", row " + i);
        }
    }

    private static int[] bits(float[] row) {
        int[] bits = new int[row.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToRawIntBits(row[i]);
        }
        return bits;
    }
}
