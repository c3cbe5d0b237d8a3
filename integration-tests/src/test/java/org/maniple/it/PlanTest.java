package org.maniple.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Parameter;
import org.maniple.api.model.ModelConfig;
import org.maniple.kernel.config.ConfigurationException;
import org.maniple.kernel.config.UnitConfiguration;
import org.maniple.kernel.load.WeightSizes;
import org.maniple.kernel.plan.Candidate;
import org.maniple.kernel.plan.Figures;
import org.maniple.kernel.plan.PlanReport;
import org.maniple.kernel.plan.PlannedModel;
import org.maniple.kernel.plan.Share;

/** Plans for published configurations, of which nothing but config.json is there. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PlanTest {

    private static final String TWO_NODES = "--nnodes 2 --ranks-per-node 8 --memory-limit 80GB";
    private static final String FOUR_NODES = "--nnodes 4 --ranks-per-node 8 --memory-limit 80GB";

    private final PlanningInstallation installation;
    private final Path home;
    private final Map<String, PlanReport> plans = new HashMap<>();

    PlanTest(@TempDir Path home) throws IOException {
        this.home = home;
        Files.createDirectories(home.resolve("plugins"));
        installation = new PlanningInstallation(home);
    }

    /** Every plan is made once. */
    private PlanReport plan(Path model, String flags) {
        return plans.computeIfAbsent(model + " " + flags, key -> installation.plan(model, flags));
    }

    private static ModelGraph graph(Path model) {
        ModelConfig config = VirtualUnit.config(model);
        return VirtualUnit.MODELS.stream().filter(m -> m.accepts(config)).findFirst().orElseThrow().graph(config);
    }

    private static WeightSizes.Size whole(Path model) {
        return new PlannedModel(graph(model), VirtualUnit.config(model), Set.of()).whole();
    }

    /** The counts that are published beside the configurations; everything of these models has two bytes. */
    @ParameterizedTest
    @CsvSource({"Qwen3-235B-A22B,235093634560", "Llama-3.1-405B,405853388800", "Qwen3-32B,32762123264"})
    void weightsAndBytesOfBf16ModelsAreThoseOfTheirFields(String model, long count) {
        WeightSizes.Size size = whole(PlanningInstallation.published(model));

        assertThat(size.elements()).isEqualTo(count);
        assertThat(size.stored()).isEqualTo(2 * count);
    }

    @ParameterizedTest
    @CsvSource({"DeepSeek-V3,671026419200", "Kimi-K2-Instruct,1026408232448"})
    void weightsAndBytesOfFp8ModelsAreThoseOfTheirFields(String name, long count) {
        Path model = PlanningInstallation.published(name);
        var bytes = new Fp8Bytes(VirtualUnit.config(model));
        WeightSizes.Size size = whole(model);

        assertThat(size.elements()).isEqualTo(count).isEqualTo(bytes.weights);
        assertThat(size.stored()).isEqualTo(bytes.bytes);
    }

    /** Adds up the tensors of a DeepSeek-V3 checkpoint one by one, as its paper and files name them. */
    private static final class Fp8Bytes {
        private long weights;
        private long bytes;

        Fp8Bytes(ModelConfig c) {
            long hidden = c.integer("hidden_size");
            long heads = c.integer("num_attention_heads");
            long nope = c.integer("qk_nope_head_dim");
            long rope = c.integer("qk_rope_head_dim");
            long value = c.integer("v_head_dim");
            long latent = c.integer("kv_lora_rank");
            long queryLatent = c.integer("q_lora_rank");
            long experts = c.integer("n_routed_experts");
            plain(2L * c.integer("vocab_size") * hidden + hidden);
            for (int layer = 0; layer < c.integer("num_hidden_layers"); layer++) {
                plain(2 * hidden + queryLatent + latent);
                matrix(queryLatent, hidden);
                matrix(heads * (nope + rope), queryLatent);
                matrix(latent + rope, hidden);
                matrix(heads * (nope + value), latent);
                matrix(hidden, heads * value);
                if (layer < c.integer("first_k_dense_replace")) {
                    network(hidden, c.integer("intermediate_size"));
                } else {
                    plain(experts * hidden);
                    weights += experts;
                    bytes += 4 * experts;
                    for (long expert = 0; expert < experts + c.integer("n_shared_experts"); expert++) {
                        network(hidden, c.integer("moe_intermediate_size"));
                    }
                }
            }
        }

        private void plain(long count) {
            weights += count;
            bytes += 2 * count;
        }

        private void network(long hidden, long columns) {
            matrix(columns, hidden);
            matrix(columns, hidden);
            matrix(hidden, columns);
        }

        private void matrix(long rows, long columns) {
            weights += rows * columns;
            bytes += rows * columns + 4 * ((rows + 127) / 128) * ((columns + 127) / 128);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"DeepSeek-V3", "Kimi-K2-Instruct", "Qwen3-235B-A22B", "Llama-3.1-405B", "Qwen3-32B"})
    void theSharesOfTheRanksAddUpToTheModelAndWhatIsCopied(String name) {
        Path model = PlanningInstallation.published(name);
        ModelGraph graph = graph(model);
        for (String ranks : List.of(TWO_NODES, FOUR_NODES)) {
            for (Candidate candidate : plan(model, ranks).candidates()) {
                if (candidate.figures().isPresent()) {
                    long sum = candidate.figures().get().shares().stream().mapToLong(s -> s.weights().elements()).sum();
                    assertThat(sum).as("%s, %s: %s", name, ranks, candidate.layout()).isEqualTo(copies(graph, candidate));
                }
            }
        }
    }

    /**
     * How many weights all ranks hold together: each weight as often as ranks of its stage do not share it. Key-value heads are on every rank that
     * has one of their query heads.
     */
    private static long copies(ModelGraph graph, Candidate candidate) {
        int dp = size(candidate, "dp");
        int tp = size(candidate, "tp");
        boolean attentionOnly = candidate.chosen().getOrDefault("enable-dp-attention", "false").equals("true");
        boolean spread = candidate.chosen().getOrDefault("enable-expert-parallel", "false").equals("true");
        long sum = 0;
        for (Parameter parameter : graph.parameters()) {
            long elements = parameter.dims().stream().mapToLong(d -> d.extent()).reduce(1, Math::multiplyExact);
            long holders = (long) dp * tp;
            long times;
            if (spread && parameter.has(Axes.EXPERTS)) {
                times = 1;
            } else if (parameter.has(Axes.FFN) || parameter.has(Axes.EXPERT_FFN) || parameter.has(Axes.VOCAB)) {
                times = attentionOnly ? 1 : dp;
            } else if (parameter.has(Axes.HEADS) || parameter.has(Axes.SHARED_FFN)) {
                times = dp;
            } else if (parameter.has(Axes.KV_HEADS)) {
                times = (long) dp * Math.max(1, tp / extent(parameter, Axes.KV_HEADS));
            } else {
                times = holders;
            }
            sum += elements * times;
        }
        return sum;
    }

    private static int extent(Parameter parameter, Axis axis) {
        return parameter.dims().stream().filter(d -> d.axis().equals(axis)).findFirst().orElseThrow().extent();
    }

    private static int size(Candidate candidate, String dimension) {
        for (int i = 0; i < candidate.mesh().dimensions().size(); i++) {
            if (candidate.mesh().dimensions().get(i).name().equals(dimension)) {
                return candidate.mesh().sizes().get(i);
            }
        }
        return 1;
    }

    /** V3 over 16 stages and experts over 16 ranks, added up by hand. */
    @Test
    void aRankOfAWideUnitHoldsItsExpertsAndACopyOfAttention() {
        Path model = PlanningInstallation.published("DeepSeek-V3");
        PlanReport plan = plan(model, TWO_NODES + " --dp-size 16 --enable-dp-attention --enable-expert-parallel");
        Share first = plan.recommended().figures().orElseThrow().shares().getFirst();

        long attention = 61L * (1536 * 7168 + 128 * 192 * 1536 + 576 * 7168 + 128 * 256 * 512 + 7168 * 128 * 128 + 1536 + 512
                + 2 * 7168);
        long experts = 58L * 16 * 3 * 2048 * 7168;
        long shared = 58L * 3 * 2048 * 7168;
        long routers = 58L * (256 * 7168 + 256);
        long dense = 3L * 3 * 18432 / 16 * 7168;
        long vocabulary = 2L * 129280 / 16 * 7168 + 7168;
        assertThat(first.weights().elements()).isEqualTo(attention + experts + shared + routers + dense + vocabulary);
        assertThat(first.kvBytesPerToken()).isEqualTo(61L * 576 * 4);
    }

    /** A latent and a turned key have a factor each. */
    @Test
    void aSmallerTypeOfTheKvCacheMakesRoomForMoreTokens() {
        Path model = PlanningInstallation.published("DeepSeek-V3");
        String layout = TWO_NODES + " --dp-size 16 --enable-dp-attention --enable-expert-parallel --kv-cache-dtype ";
        Figures floats = plan(model, layout + "auto").recommended().figures().orElseThrow();
        Figures halves = plan(model, layout + "bfloat16").recommended().figures().orElseThrow();
        Figures bytes = plan(model, layout + "int8").recommended().figures().orElseThrow();
        assertThat(halves.largestKvBytes()).isEqualTo(61L * 576 * 2);
        assertThat(bytes.largestKvBytes()).isEqualTo(61L * (576 + 8));
        assertThat(halves.kvTokens()).isBetween(2 * floats.kvTokens(), 2 * floats.kvTokens() + 1024);
        assertThat(bytes.kvTokens()).isGreaterThan(3 * floats.kvTokens());
    }

    @ParameterizedTest
    @ValueSource(strings = {"DeepSeek-V3", "Kimi-K2-Instruct", "Qwen3-235B-A22B", "Llama-3.1-405B", "Qwen3-32B"})
    void theRecommendationFitsAndLaunchTakesIt(String name) throws IOException {
        Path model = PlanningInstallation.published(name);
        for (String ranks : List.of(TWO_NODES, FOUR_NODES)) {
            PlanReport plan = plan(model, ranks);
            Candidate best = plan.recommended();
            long limit = (long) (80_000_000_000L * 0.9);
            assertThat(best.figures().orElseThrow().shares())
                    .allSatisfy(share -> assertThat(share.weights().held()).isLessThan(limit));
            Path file = home.resolve("unit.yaml");
            Files.writeString(file,
                    plan.yaml() + "dist-init-addr: 10.0.0.5:29501\nunit-secret: 0123456789abcdef\nnode-rank: 0\n");

            UnitConfiguration configuration = installation.configuration(file);

            assertThat(configuration.mesh()).isEqualTo(best.mesh());
            assertThat(configuration.settings().text("model")).isEqualTo(model.toAbsolutePath().toString());
        }
    }

    @Test
    void whatTheUserHasDecidedIsKept() {
        Path model = PlanningInstallation.published("Llama-3.1-405B");
        PlanReport plan = plan(model, TWO_NODES + " --tensor-parallel-size 4 --max-model-len 4096");

        assertThat(plan.candidates()).isNotEmpty().allSatisfy(c -> assertThat(size(c, "tp")).isEqualTo(4));
        assertThat(plan.yaml()).contains("tensor-parallel-size: 4\n", "max-model-len: 4096\n");
    }

    /** SGLang's --tp counts all ranks of a stage where attention is data-parallel. */
    @Test
    void whatFollowsFromAnotherSpellingIsKeptAndWritten() throws IOException {
        Path model = PlanningInstallation.published("DeepSeek-V3");
        PlanReport plan = plan(model, TWO_NODES + " --tp 16 --dp 8 --enable-dp-attention");

        assertThat(plan.candidates()).isNotEmpty().allSatisfy(c -> assertThat(size(c, "tp")).isEqualTo(2));
        assertThat(plan.yaml()).contains("tensor-parallel-size: 2\n", "data-parallel-size: 8\n");
        Path file = home.resolve("spelling.yaml");
        Files.writeString(file, plan.yaml() + "dist-init-addr: 10.0.0.5:29501\nunit-secret: 0123456789abcdef\nnode-rank: 0\n");
        assertThat(installation.configuration(file).mesh()).isEqualTo(plan.recommended().mesh());
    }

    @Test
    void aModelThatFitsNowhereIsRefusedWithTheSmallestUnitThatWouldDo() {
        Path model = PlanningInstallation.published("DeepSeek-V3");
        PlanReport plan = plan(model, "--ranks-per-node 4 --memory-limit 80GB");

        assertThatThrownBy(plan::recommended).isInstanceOf(ConfigurationException.class).hasMessageContainingAll(
                "the model (626.9 GiB of weights) cannot be spread over 4 ranks of 74.5 GiB (--memory-limit)",
                "the smallest unit with that memory that would do: 3 nodes of 4 ranks (pp 3 × tp 4",
                "on these ranks it would take at least");
        assertThat(plan.lines()).anyMatch(line -> line.contains("pp 4: rank 2 needs 176.9 GiB for weights, but has 67.1 GiB"));
    }

    @Test
    void aWishThatFitsNowhereIsNamedAndTheSmallestUnitWithoutItIsShown() {
        Path model = PlanningInstallation.published("DeepSeek-V3");
        PlanReport plan = plan(model, "--ranks-per-node 8 --memory-limit 80GB --tensor-parallel-size 1"
                + " --pipeline-parallel-size 1 --data-parallel-size 1");

        assertThatThrownBy(plan::recommended).isInstanceOf(ConfigurationException.class).hasMessageContainingAll(
                "tensor-parallel-size 1 (--tensor-parallel-size)",
                "no number of ranks with that memory would do",
                "the smallest unit with that memory that would do: 2 nodes of 8 ranks");
    }

    @Test
    void aTooLongRequestIsRefusedWithTheLongestThatFits() {
        Path model = PlanningInstallation.published("Qwen3-32B");
        PlanReport plan = plan(model,
                "--ranks-per-node 1 --memory-limit 80GB --max-model-len 40000");

        assertThatThrownBy(plan::recommended)
                .hasMessageContaining("the KV cache has room for 12,336 tokens, fewer than max-model-len 40,000; give"
                        + " --max-model-len 12336 at most");
    }

    @Test
    void moreRanksThanHeadsAreExplained() {
        Path model = PlanningInstallation.published("Qwen3-32B");

        assertThat(plan(model, "--nnodes 16 --ranks-per-node 8 --memory-limit 80GB").lines())
                .anyMatch(line -> line
                        .contains("Total number of attention heads (64) must be at least the tensor parallel size (128)"));
    }

    @Test
    void aModelWithoutExpertsHasNoExpertParallelism() {
        Path model = PlanningInstallation.published("Qwen3-32B");

        assertThat(plan(model, TWO_NODES).candidates())
                .noneMatch(c -> c.chosen().getOrDefault("enable-expert-parallel", "false").equals("true"));
    }

    @Test
    void whatRanksSendIsWhatTheListingSays() {
        Path model = PlanningInstallation.published("Llama-3.1-405B");
        Candidate candidate = plan(model, TWO_NODES + " --tp-size 8 --pp-size 2").recommended();

        long layers = 126L * 2 * (2 * 16384 * 4 * 7 / 8);
        long embedding = 2 * 16384 * 4 * 7 / 8;
        // 64 tokens with their logits and what the probability of all others needs, from each of 7 ranks.
        long candidates = (64 + 1) * 8 * 7;
        long stages = 16384 * 4;
        assertThat(candidate.figures().orElseThrow().wireBytesBetweenNodes()).isEqualTo(stages);
        assertThat(candidate.figures().orElseThrow().wireBytes()).isEqualTo(layers + embedding + candidates + stages);
    }

    @Test
    void parallelAutoTakesTheRecommendationAndSaysSo() {
        Path model = PlanningInstallation.published("DeepSeek-V3");
        Candidate best = plan(model, TWO_NODES).recommended();
        UnitConfiguration configuration = installation.configuration(model,
                TWO_NODES + " --parallel auto --node-rank 0 --dist-init-addr 10.0.0.5:29501 --unit-secret 0123456789abcdef");

        assertThat(configuration.mesh()).isEqualTo(best.mesh());
        assertThat(configuration.notices())
                .anyMatch(line -> line.startsWith("data-parallel-size: 1 → 8, planned for 16 ranks of"));
        assertThat(configuration.settings().render())
                .anyMatch(line -> line.matches("enable-expert-parallel +true +derived: false → true, planned for 16 ranks.*"));
    }

    @Test
    void parallelAutoRefusesWhatCannotFit() {
        Path model = PlanningInstallation.published("DeepSeek-V3");

        assertThatThrownBy(() -> installation.configuration(model, "--parallel auto --ranks-per-node 2 --memory-limit 80GB"))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("the smallest unit with that memory that would do");
    }

    /** With an index, tensors are FP8 where it names their factors, whatever the configuration says. */
    @Test
    void anIndexSaysWhichTensorsAreQuantised() {
        Path model = PlanningInstallation.published("Qwen3-32B");
        ModelGraph graph = graph(model);
        String matrix = "model.layers.0.mlp.down_proj.weight";
        var planned = new PlannedModel(graph, VirtualUnit.config(model), Set.of(matrix, matrix + "_scale_inv"));

        long elements = 5120L * 25600;
        assertThat(planned.whole().stored()).isEqualTo(2 * 32_762_123_264L - elements + 4 * (5120 / 128) * (25600 / 128));
        assertThat(planned.missing()).contains("model.norm.weight").doesNotContain(matrix);
    }
}
