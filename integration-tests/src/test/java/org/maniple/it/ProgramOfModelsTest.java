package org.maniple.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;
import org.maniple.api.config.Settings;
import org.maniple.api.graph.Axes;
import org.maniple.api.mesh.AxisRule;
import org.maniple.api.mesh.MeshDimension;
import org.maniple.api.mesh.Parallelism;
import org.maniple.api.tensor.UnitList;
import org.maniple.kernel.load.LoadReport;
import org.maniple.kernel.program.MeshProgram;
import org.maniple.kernel.program.ProgramListing;
import org.maniple.kernel.step.StepBatch;

/** What the compiler makes of real models. */
class ProgramOfModelsTest {

    /** A parallelism that nobody but this test knows: feed-forward networks over a dimension of its own. */
    private static final class FeedForwardParallelism implements Parallelism {
        private static final MeshDimension DIMENSION = new MeshDimension("fp", 250);

        @Override
        public String name() {
            return "feed-forward";
        }

        @Override
        public List<Option> options() {
            return List.of(Option.of("feed-forward-parallel-size", OptionType.INTEGER, "Ranks that share feed-forward networks.")
                    .withDefault("1").withAliases("--fp"));
        }

        @Override
        public List<MeshDimension> dimensions() {
            return List.of(DIMENSION);
        }

        @Override
        public int size(MeshDimension dimension, Settings settings) {
            return settings.integer("feed-forward-parallel-size");
        }

        @Override
        public List<AxisRule> rules(Settings settings) {
            return List.of(new AxisRule(Axes.FFN, List.of(DIMENSION), request -> {
                var parts = new ArrayList<UnitList>();
                for (int i = 0; i < request.parts(); i++) {
                    parts.add(UnitList.range(request.units() * i / request.parts(), request.units() * (i + 1) / request.parts()));
                }
                return parts;
            }));
        }
    }

    private static MeshProgram compile(String model, Layout layout) {
        return VirtualUnit.compile(VirtualUnit.config(Oracles.model(model)), VirtualUnit.SHIPPED, VirtualUnit.MODELS, layout);
    }

    /** The seams and placements of the design's worked example (composition.md, section 11), in its order. */
    @Test
    void aLlamaLayerOnTwoRanksHasTwoAllReduces() {
        List<String> lines = new ProgramListing(compile("llama-plain", Layout.of(2, 1))).layer(1).stream()
                .map(line -> line.replaceAll(" +", " ").replace("model.layers.*.", "").replace(".weight", "")).toList();

        assertThat(lines).containsExactly(
                "SUMSQ hidden.* R -> attn.in.*.squares R",
                "NORMALIZE hidden.* R, attn.in.*.squares R, input_layernorm R -> attn.in.* R",
                "CONTRACT attn.in.* R, self_attn.q_proj S(HEADS) -> q.* S(HEADS)",
                "ROPE q.* S(HEADS) -> q.turned.* S(HEADS)",
                "CONTRACT attn.in.* R, self_attn.k_proj S(KV_HEADS) -> k.* S(KV_HEADS)",
                "ROPE k.* S(KV_HEADS) -> k.turned.* S(KV_HEADS)",
                "CONTRACT attn.in.* R, self_attn.v_proj S(KV_HEADS) -> v.* S(KV_HEADS)",
                "CACHE k.turned.* S(KV_HEADS), keys.* S(KV_HEADS) -> (state)",
                "CACHE v.* S(KV_HEADS), values.* S(KV_HEADS) -> (state)",
                "ATTEND q.turned.* S(HEADS), keys.* S(KV_HEADS), values.* S(KV_HEADS) -> attended.* S(HEADS)",
                "CONTRACT attended.* S(HEADS), self_attn.o_proj S(HEADS) -> attn.* P(sum)",
                "~ all-reduce tp attn.* P(sum) -> R 256 bytes per token",
                "MAP add hidden.* R, attn.* R -> middle.* R",
                "SUMSQ middle.* R -> mlp.in.*.squares R",
                "NORMALIZE middle.* R, mlp.in.*.squares R, post_attention_layernorm R -> mlp.in.* R",
                "CONTRACT mlp.in.* R, mlp.gate_proj S(FFN) -> gate.* S(FFN)",
                "CONTRACT mlp.in.* R, mlp.up_proj S(FFN) -> up.* S(FFN)",
                "MAP glu gate.* S(FFN), up.* S(FFN) -> gated.* S(FFN)",
                "CONTRACT gated.* S(FFN), mlp.down_proj S(FFN) -> mlp.* P(sum)",
                "~ all-reduce tp mlp.* P(sum) -> R 256 bytes per token",
                "MAP add middle.* R, mlp.* R -> hidden.+ R");
    }

    @Test
    void everyRankOfTwoTimesTwoLoadsItsQuarterAndWhatIsReplicated() {
        var limits = new StepBatch.Limits(64, 4, 64, 4, 16);
        for (String model : Oracles.DENSE) {
            try (var unit = new VirtualUnit(Oracles.model(model), Layout.of(2, 2), limits, 16)) {
                long tiedTwice = tiedBytes(unit.program());
                for (LoadReport report : unit.reports().values()) {
                    long share = (report.modelBytes() + tiedTwice) / 4 + report.replicatedBytes();
                    assertThat(report.bytes()).as(model).isPositive().isLessThanOrEqualTo(share + report.modelBytes() / 50);
                }
            }
        }
    }

    /** Both end stages hold an embedding that is also the head. */
    private static long tiedBytes(MeshProgram program) {
        var sources = program.graph().parameters().stream().map(p -> p.source().toString()).toList();
        boolean tied = sources.stream().distinct().count() < sources.size();
        return tied ? 4L * program.graph().vocabulary() * program.graph().parameters().getFirst().extent(Axes.HIDDEN) : 0;
    }

    @Test
    void aParallelismFromOutsideSplitsModelsThatDoNotKnowIt() {
        var parallelisms = new ArrayList<>(VirtualUnit.SHIPPED);
        parallelisms.add(new FeedForwardParallelism());
        var layout = new Layout("fp2 x tp2", java.util.Map.of("tensor-parallel-size", 2, "feed-forward-parallel-size", 2));
        var expected = new Expected(Oracles.model("qwen2"));
        Expected.Prompt prompt = expected.prompts().get(1);
        try (var unit = new VirtualUnit(Oracles.model("qwen2"), parallelisms, VirtualUnit.MODELS, layout,
                new StepBatch.Limits(64, 4, 64, 16, 16), 16, rank -> java.util.Optional.empty())) {
            List<String> lines = new ProgramListing(unit.program()).layer(0);
            assertThat(lines).anyMatch(l -> l.startsWith("~ all-reduce fp")).anyMatch(l -> l.startsWith("~ all-reduce tp"));

            var sequences = new Sequences(unit.pipeline(), unit.program().graph().vocabulary());
            Sequences.Sequence sequence = sequences.open(64);
            int[] tokens = prompt.ids();
            for (int step = 0; step < 20; step++) {
                float[] logits = sequences.run(List.of(new Sequences.Span(sequence, tokens, StepBatch.Rows.LAST))).getFirst();
                assertThat(Sequences.argmax(logits)).isEqualTo(prompt.output()[step]);
                tokens = new int[] {prompt.output()[step]};
            }
        }
    }
}
