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

    /** The second worked example: experts of DeepSeek-V3 spread over data-parallel attention 2 x tensor parallel 2, in fast mode. */
    @Test
    void aLayerOfDeepSeekGathersTokensForItsExpertsAndScattersTheirSums() {
        var layout = Layout.of(2, 1).attentionOf(2).experts();
        List<String> lines = new ProgramListing(compile("deepseek-v3", layout)).layer(2).stream()
                .map(line -> line.replaceAll(" +", " ").replace("model.layers.*.", "").replace(".weight ", " ")).toList();

        assertThat(lines.stream()
                .filter(l -> l.startsWith("~") || l.contains("ATTEND") || l.contains("EXPERTS") || l.startsWith("MAP add")))
                .containsExactly(
                        "ATTEND latent q.* S(TOKENS),S(HEADS), q.turned.* S(TOKENS),S(HEADS), latents.* S(SEQS),R, keys.* S(SEQS),R, "
                                + "self_attn.kv_b_proj.weight:keys R,S(HEADS), self_attn.kv_b_proj.weight:values R,S(HEADS)"
                                + " -> attended.* S(TOKENS),S(HEADS)",
                        "~ all-reduce tp attn.* S(TOKENS),P(sum) -> S(TOKENS),R 256 bytes per token",
                        "MAP add hidden.* S(TOKENS),R, attn.* S(TOKENS),R -> middle.* S(TOKENS),R",
                        "~ all-gather dp mlp.in.* S(TOKENS),R -> R,R 128 bytes per token",
                        "~ all-gather dp experts.* S(TOKENS),R -> R,R 8 bytes per token",
                        "~ all-gather dp experts.*.weights S(TOKENS),R -> R,R 8 bytes per token",
                        "DISPATCH mlp.in.* R,R, experts.* R,R -> pairs.* S(EXPERTS),S(EXPERTS)",
                        "CONTRACT pairs.* S(EXPERTS),S(EXPERTS), mlp.experts.{}.gate_proj S(EXPERTS),S(EXPERTS)"
                                + " -> experts.gate.* S(EXPERTS),S(EXPERTS)",
                        "CONTRACT pairs.* S(EXPERTS),S(EXPERTS), mlp.experts.{}.up_proj S(EXPERTS),S(EXPERTS)"
                                + " -> experts.up.* S(EXPERTS),S(EXPERTS)",
                        "MAP glu experts.gate.* S(EXPERTS),S(EXPERTS), experts.up.* S(EXPERTS),S(EXPERTS)"
                                + " -> experts.gated.* S(EXPERTS),S(EXPERTS)",
                        "CONTRACT experts.gated.* S(EXPERTS),S(EXPERTS), mlp.experts.{}.down_proj S(EXPERTS),S(EXPERTS)"
                                + " -> experts.down.* S(EXPERTS),S(EXPERTS)",
                        "COMBINE experts.down.* S(EXPERTS),S(EXPERTS), experts.* R,R, experts.*.weights R,R -> routed.* P(sum),P(sum)",
                        "~ reduce-scatter dp routed.* P(sum),P(sum) -> S(TOKENS),P(sum) 128 bytes per token",
                        "MAP add routed.* S(TOKENS),P(sum), shared.* S(TOKENS),P(sum) -> mlp.* S(TOKENS),P(sum)",
                        "~ all-reduce tp mlp.* S(TOKENS),P(sum) -> S(TOKENS),R 256 bytes per token",
                        "MAP add middle.* S(TOKENS),R, mlp.* S(TOKENS),R -> hidden.+ S(TOKENS),R");
    }

    /** Without experts spread, and with attention on all ranks alike, routed and shared experts share one all-reduce. */
    @Test
    void aLayerOfDeepSeekOnTwoRanksHasTwoAllReduces() {
        List<String> lines = new ProgramListing(compile("deepseek-v3", Layout.of(2, 1))).layer(2);

        assertThat(lines.stream().filter(l -> l.startsWith("~")).map(l -> l.replaceAll(" +", " "))).containsExactly(
                "~ all-reduce tp attn.* P(sum) -> R 256 bytes per token",
                "~ all-reduce tp mlp.* P(sum) -> R 256 bytes per token");
    }

    @Test
    void theLatentCacheOfDeepSeekIsNotSplitByTensorParallelism() {
        MeshProgram program = compile("deepseek-v3", Layout.of(2, 1));
        long perToken = program.forRank(1).states().stream().mapToLong(s -> program.forRank(1).elements(s)).sum();

        assertThat(perToken).isEqualTo(program.graph().layers() * (32 + 8));
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
