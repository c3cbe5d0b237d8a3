package org.maniple.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What somebody is told who asks for experts or groups of ranks that there cannot be. Nothing is started, and no weights are read. */
class ExpertMistakesIT {

    private final Distribution distribution = Distribution.find();

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {
        "--dp 4 --tp 16 --enable-dp-attention --enable-expert-parallel | --enable-expert-parallel: the model has 8 routed experts in a layer,"
                + " too few for 16 ranks; use at most 8 ranks (dp × tp), or num-redundant-experts 8 to hold some experts more than once",
        "--tp 2 --enable-expert-parallel --num-redundant-experts 3 | --num-redundant-experts: 8 experts and 3 redundant ones are 11 slots,"
                + " which cannot be dealt evenly to 2 ranks; the nearest numbers of redundant experts that fit: 2 and 4",
        "--tp 4 --ep-size 2 | --ep-size expert-parallel-size: asks for 2 ranks, but experts are spread over all ranks that share a layer,"
                + " dp × tp = 4; set it to 4 or leave it out and set enable-expert-parallel; to keep experts whole, set it to 1 and do not set"
                + " enable-expert-parallel",
        "--tp 2 --num-redundant-experts 2 | --num-redundant-experts: holds 2 experts once more, but expert parallelism is off;"
                + " set enable-expert-parallel, or remove this key",
        "--tp 2 --enable-expert-parallel --expert-placement-strategy round_robin --num-redundant-experts 2 | --expert-placement-strategy:"
                + " [round_robin] is for experts that are held once, but num-redundant-experts holds 2 of them once more; use linear, or no"
                + " redundant experts"})
    void expertsThatCannotBeSpreadSo(String flags, String message) {
        assertRefused(distribution.demoModel(), flags, message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {
        "--tp 16 --dp-size 16 --nnodes 2 --node-rank 0 --ranks-per-node 8 --dist-init-addr 127.0.0.1:29500 --unit-secret 0123456789abcdef"
                + " | --ranks-per-node: dp=16 x tp=16 needs 256 ranks, 16 present; did you mean --enable-dp-attention? Without it there are 16"
                + " copies of 16 ranks per stage; with it --tp 16 counts all ranks of a stage, of which 16 groups of 1 have sequences of their own",
        "--tp 16 --dp-size 16 | --tp tensor-parallel-size: Total number of attention heads (4) must be at least the tensor parallel size (16);"
                + " valid sizes are 1 to 4, even splits 1, 2, 4; to let ranks go without heads, give tensor-parallel-weights or"
                + " tensor-parallel-heads; did you mean --enable-dp-attention? Without it there are 16 copies of 16 ranks per stage; with it"
                + " --tp 16 counts all ranks of a stage, of which 16 groups of 1 have sequences of their own",
        "--tp 4 --dp 3 --enable-dp-attention | --tp tensor-parallel-size: [4] ranks of a stage (so --tp counts with enable-dp-attention) cannot"
                + " be divided into 3 groups (data-parallel-size); give a multiple of 3, or the ranks of one group as tensor-parallel-size",
        "--tp 4 --enable-dp-attention | --enable-dp-attention: it needs several groups of ranks, but data-parallel-size is 1;"
                + " give data-parallel-size 2 or more, or leave it out",
        "--tp 2 --dp 2 --enable-dp-lm-head | --enable-dp-lm-head: it is about data-parallel attention, which is off;"
                + " give enable-dp-attention too, or leave it out"})
    void groupsOfRanksThatContradictEachOther(String flags, String message) {
        assertRefused(distribution.demoModel(), flags, message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {
        "--tp 3 | numerics [exact]: CONTRACT [attended.0, model.layers.0.self_attn.o_proj.weight] -> [attn.0] sums over HEADS:4, of which rank"
                + " 0 has 0-1; for the same bits on every layout each of the 3 ranks must have an equal part that consists of whole eighths,"
                + " and their number must be 1, 2, 4 or 8; choose such sizes, or numerics fast",
        "--tp 2 --enable-expert-parallel --moe-combine rank-sum | --moe-combine: [rank-sum] makes the bits of results depend on which rank has"
                + " which expert, which numerics [exact] (--numerics) excludes; leave one of the two out",
        "--tp 2 --enable-expert-parallel --all2all-backend direct --moe-dispatch-dtype int8 | --moe-dispatch-dtype: [int8] rounds what goes to"
                + " experts with one all-to-all back end and not with another, which numerics [exact] excludes; use f32, or numerics fast"})
    void exactBitsThatCannotBeKept(String flags, String message) {
        assertRefused(distribution.demoModel(), flags + " --numerics exact", message);
    }

    @ParameterizedTest
    @CsvSource({"--enable-expert-parallel, --enable-expert-parallel", "--ep-size 2, --ep-size expert-parallel-size"})
    void aModelWithoutExperts(String flags, String source) {
        assertRefused(Oracles.find("llama-tied-bias-bf16").model(), "--tp 2 " + flags, source
                + ": the model [llama] has no axis EXPERTS, which this would spread over ranks; leave it out, or give a model that has one");
    }

    @Test
    void moreExpertsInTheConfigurationThanInTheCheckpoint() {
        Path model = ModelFolder.changed(distribution.demoModel(), folder, Map.of("n_routed_experts", 12));
        Command command = launch(model, "--tp 2 --enable-expert-parallel");

        assertThat(command.exitCode()).isEqualTo(2);
        assertThat(command.text())
                .contains("maniple: model [" + model + "]: the checkpoint does not fit its config.json:\n"
                        + "  tensor model.layers.1.mlp.gate.weight: expected [12, 128], found BF16[8, 128] in " + model
                        + "/model.safetensors\n")
                .contains(
                        "\n  tensors model.layers.1.mlp.experts.{}.gate_proj.weight: config.json says that there are 12 (EXPERTS),"
                                + " the checkpoint has 8\n")
                .doesNotContain("loading weights");
    }

    @Test
    void fewerExpertsInTheConfigurationThanInTheCheckpoint() {
        Path model = ModelFolder.changed(distribution.demoModel(), folder, Map.of("n_routed_experts", 4, "n_group", 2));
        Command command = launch(model, "--tp 2 --enable-expert-parallel");

        assertThat(command.exitCode()).isEqualTo(2);
        assertThat(command.text())
                .contains("  tensor model.layers.1.mlp.gate.weight: expected [4, 128], found BF16[8, 128] in " + model
                        + "/model.safetensors\n")
                .doesNotContain("loading weights");
    }

    private void assertRefused(Path model, String flags, String message) {
        Command command = launch(model, flags);

        assertThat(command.exitCode()).as(command.text()).isEqualTo(2);
        assertThat(command.text().lines()).contains("maniple: " + message);
    }

    private Command launch(Path model, String flags) {
        var arguments = new ArrayList<>(List.of("launch", "--model", model.toString(), "--skip-tokenizer-init", "--port", "0"));
        arguments.addAll(Arrays.asList(flags.split(" ")));
        return Command.maniple(distribution, arguments.toArray(String[]::new));
    }
}
