package org.maniple.it;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.api.model.ModelConfig;
import org.maniple.kernel.engine.StepPipeline;
import org.maniple.kernel.engine.StepResults;
import org.maniple.kernel.step.StepBatch;
import org.maniple.kernel.step.StepBatch.Rows;
import org.maniple.model.deepseek.DeepseekFamily;

/** The layer that guesses the token after the next one, against the reference implementation. */
class GuessingLayerTest {

    private static final StepBatch.Limits LIMITS = new StepBatch.Limits(64, 4, 64, 32, 16);

    static Stream<Layout> layouts() {
        return Stream.of(Layout.of(1, 1), Layout.of(2, 1), Layout.of(1, 2), Layout.of(2, 2), Layout.of(1, 3),
                Layout.of(2, 1).attentionOf(2).experts(), Layout.of(2, 2).experts(),
                Layout.of(2, 1).with("numerics", "exact", "numerics")).map(Layout::withGuesses);
    }

    /** In two parts, beside another sequence, with a home each where there are several. */
    @ParameterizedTest
    @MethodSource("layouts")
    void itsLogitsAreThoseOfTheReference(Layout layout) {
        Path model = Oracles.model("deepseek-v3-mtp-bf16");
        var expected = new Expected(model);
        int[] ids = Expected.ints(expected.json().get("mtp").get("ids"));
        int[] argmax = Expected.ints(expected.json().get("mtp").get("argmax"));
        float[][] logits = expected.rows("mtp_logits");
        try (var unit = new VirtualUnit(model, layout, LIMITS, 64)) {
            StepPipeline pipeline = unit.pipeline();
            var best = new ArrayList<Integer>();
            var values = new ArrayList<Float>();
            int other = pipeline.limits().homes() - 1;
            int from = 0;
            long number = 7;
            for (int to : List.of(6, ids.length)) {
                step(pipeline, number, ids, from, to, other);
                // The token after the last one is not known until the next part.
                guess(pipeline, number, ids, from, Math.min(to, ids.length - 1), other, best, values);
                from = to;
                number++;
            }
            assertThat(best).isEqualTo(IntStream.of(argmax).boxed().toList());
            for (int row = 0; row < argmax.length; row++) {
                assertThat(values.get(row)).isCloseTo(logits[row][argmax[row]], within(5e-3f));
            }
        }
    }

    private static final int[] TABLE = {3, 9};
    private static final int[] OTHER = {5, 8};

    private static void step(StepPipeline pipeline, long number, int[] ids, int from, int to, int other) {
        StepBatch batch = pipeline.begin();
        batch.clear(number);
        if (other == 0) {
            batch.addSpan(0, 1, from, reversed(ids), from, to - from, Rows.LAST, OTHER, 2);
        }
        batch.addSpan(0, 0, from, ids, from, to - from, Rows.NONE, TABLE, 2);
        if (other > 0) {
            batch.addSpan(other, 1, from, reversed(ids), from, to - from, Rows.LAST, OTHER, 2);
        }
        pipeline.submit(batch);
        pipeline.await();
    }

    private static void guess(StepPipeline pipeline, long number, int[] ids, int from, int to, int other, List<Integer> best,
            List<Float> values) {
        StepBatch pass = pipeline.begin();
        pass.clearForDraft(number);
        // Spans in another order and of other lengths than those of the step, as where sequences have ended meanwhile.
        pass.addSpan(0, 0, from, ids, from + 1, to - from, Rows.ALL, TABLE, 2);
        pass.goesOnFrom(other == 0 ? Math.min(ids.length, number == 7 ? 6 : ids.length - 6) : 0);
        if (other > 0) {
            pass.addSpan(other, 1, from, reversed(ids), from + 1, 2, Rows.NONE, OTHER, 2);
            pass.goesOnFrom(number == 7 ? 6 : ids.length - 6);
        }
        pipeline.submit(pass);
        StepResults results = pipeline.await();
        int k = results.k();
        for (int row = 0; row < results.rows(); row++) {
            long at = (long) row * (2L * k + 2) * Float.BYTES;
            values.add(results.candidates().get(JAVA_FLOAT_UNALIGNED, at));
            best.add(results.candidates().get(JAVA_INT_UNALIGNED, at + (long) k * Float.BYTES));
        }
    }

    private static int[] reversed(int[] ids) {
        return IntStream.range(0, ids.length).map(i -> ids[ids.length - 1 - i]).toArray();
    }

    @Test
    void isReadOnlyWhereItIsAskedFor() {
        Path model = Oracles.model("deepseek-v3-mtp-bf16");
        ModelConfig config = VirtualUnit.config(model);
        var family = new DeepseekFamily();
        assertThat(family.graph(config).draft()).isEmpty();
        assertThat(tensors(family.graph(config).parameters())).noneMatch(name -> name.startsWith("model.layers.6."));
        assertThat(tensors(family.draftingGraph(config).orElseThrow().parameters()))
                .contains("model.layers.6.eh_proj.weight", "model.layers.6.enorm.weight", "model.layers.6.hnorm.weight",
                        "model.layers.6.shared_head.norm.weight", "model.layers.6.self_attn.kv_b_proj.weight")
                .as("the model's own are read").doesNotContain("model.layers.6.embed_tokens.weight");
        assertThat(family.draftingGraph(VirtualUnit.config(Oracles.model("deepseek-v3")))).isEmpty();
    }

    private static List<String> tensors(List<org.maniple.api.graph.Parameter> parameters) {
        return parameters.stream().flatMap(parameter -> parameter.source().tensors().keySet().stream()).toList();
    }

    /** Only the last stage has the layer and its cache; what others hold does not change. */
    @Test
    void onlyTheLastStageHoldsIt() {
        Path model = Oracles.model("deepseek-v3-mtp-bf16");
        var plain = VirtualUnit.program(model, Layout.of(1, 2));
        var guessing = VirtualUnit.program(model, Layout.of(1, 2).withGuesses());
        assertThat(guessing.forRank(0).weights()).hasSameSizeAs(plain.forRank(0).weights());
        assertThat(guessing.forRank(0).drafts()).isFalse();
        assertThat(guessing.forRank(1).drafts()).isTrue();
        assertThat(guessing.forRank(1).states()).hasSize(plain.forRank(1).states().size() + 2);
        assertThat(Arrays.asList(0, 1)).allSatisfy(rank -> assertThat(plain.forRank(rank).drafts()).isFalse());
    }
}
