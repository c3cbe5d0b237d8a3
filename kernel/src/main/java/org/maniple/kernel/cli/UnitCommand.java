package org.maniple.kernel.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.maniple.kernel.config.KernelOptions;
import org.maniple.kernel.config.UnitConfigurationReader;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** The commands that read a configuration. Flags are declared by plugins at run time, so picocli hands them over unread. */
abstract sealed class UnitCommand implements Callable<Integer> {

    final Surroundings surroundings;

    @Parameters(arity = "0..*", hidden = true)
    List<String> arguments = new ArrayList<>();

    UnitCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    UnitConfigurationReader reader() {
        return surroundings.reader().apply(surroundings.installation().get());
    }

    int start(UnitArguments unit) throws InterruptedException {
        var configuration = reader().readForNode(unit.file(), unit.flags());
        var plan = new LaunchPlan(configuration, unit.forRank());
        return unit.dryRun() ? surroundings.starter().dryRun(plan, unit.program()) : surroundings.starter().launch(plan);
    }

    @Command(name = "launch", description = "Starts the ranks of this node as a configuration file (and flags) say, and serves.", customSynopsis = "maniple launch [FILE] [flags] [--dry-run [--program]]", footer = {
        "%nExamples:",
        "  maniple launch unit.yaml",
        "  maniple launch unit.yaml --tp 2 --pp 2 --dry-run",
        "  maniple launch unit.yaml --nnodes 2 --node-rank 1 --dist-init-addr node-0:29501 --unit-secret-file secret",
        "  srun --ntasks-per-node=1 maniple launch unit.yaml --unit-secret-file secret"})
    static final class Launch extends UnitCommand {
        Launch(Surroundings surroundings) {
            super(surroundings);
        }

        @Override
        public Integer call() throws InterruptedException {
            return start(UnitArguments.parse(arguments));
        }
    }

    @Command(name = "serve", description = "The same from flags alone: serves a model.", customSynopsis = "maniple serve MODEL [flags] [--dry-run [--program]]", footer = {
        "%nExamples:",
        "  maniple serve models/demo-moe",
        "  maniple serve models/demo-moe --tensor-parallel-size 2 --pipeline-parallel-size 2 --port 8000",
        "  maniple serve models/demo-moe --skip-tokenizer-init"})
    static final class Serve extends UnitCommand {
        Serve(Surroundings surroundings) {
            super(surroundings);
        }

        @Override
        public Integer call() throws InterruptedException {
            return start(UnitArguments.withModel(arguments, List.of()));
        }
    }

    @Command(name = "generate", description = "Starts a unit, answers one prompt on the terminal, and ends.", customSynopsis = "maniple generate MODEL --prompt TEXT [--max-tokens N] [flags]", footer = {
        "%nExamples:",
        "  maniple generate models/demo-moe --prompt \"What is Maniple?\"",
        "  maniple generate models/demo-moe --tp 2 --max-tokens 40 --prompt \"What is a rank?\""})
    static final class Generate extends UnitCommand {
        Generate(Surroundings surroundings) {
            super(surroundings);
        }

        @Override
        public Integer call() throws InterruptedException {
            boolean prompted = arguments.stream()
                    .anyMatch(argument -> argument.equals("--prompt") || argument.startsWith("--prompt="));
            if (!prompted) {
                throw new org.maniple.kernel.config.ConfigurationException(
                        List.of("--prompt: nothing to answer; give --prompt TEXT, or use maniple serve"));
            }
            return start(UnitArguments.withModel(arguments, List.of("--exit-after-prompt")));
        }
    }

    @Command(name = "model", description = "Starts a unit as serve does, times prompts and tokens, prints tokens per second, and ends.", customSynopsis = "maniple bench model MODEL [-p N,…] [-n N,…] [-b N,…] [-d N,…] [-r N] [-o table|json] [flags]", footer = {
        "%n  -p, --n-prompt N,…      Prompts of so many tokens, one at a time; 0: none. Default: 512.",
        "  -n, --n-gen N,…         So many tokens after a prompt; 0: none. Default: 128.",
        "  -b, --batch-size N,…    So many sequences make tokens at once. Default: 1.",
        "  -d, --n-depth N,…       Tokens are made behind prompts of so many tokens. Default: 0.",
        "  -r, --repetitions N     Each is measured so often, after 2 to 12 seconds that do not count. Default: 3.",
        "  -t, --threads N         Computing threads of each rank.",
        "  -o, --output table|json How results are printed. Default: table.",
        "%npp512 is the time from a prompt of 512 tokens to its first token; tg128x8 that of 128 tokens of each of 8 sequences.",
        "%nExamples:",
        "  maniple bench model models/demo-moe",
        "  maniple bench model models/SmolLM2-135M-Instruct.Q4_1.gguf -p 512 -n 128 -b 1,4,8,16 -t 2",
        "  maniple bench model models/demo-moe -tp 2 -t 1 -o json"})
    static final class BenchModel extends UnitCommand {
        BenchModel(Surroundings surroundings) {
            super(surroundings);
        }

        @Override
        public Integer call() throws InterruptedException {
            var bench = BenchArguments.parse(arguments);
            var more = new ArrayList<>(List.of("--" + KernelOptions.BENCH, bench.plan().text()));
            if (!bench.unit().contains("--" + KernelOptions.SKIP_TOKENIZER_INIT)) {
                more.add("--" + KernelOptions.SKIP_TOKENIZER_INIT);
            }
            return start(UnitArguments.withModel(bench.unit(), more));
        }
    }

    @Command(name = "kernels", description = "Times products of the back end with weights of each type, as models run them, beside how fast memory is read.", customSynopsis = "maniple bench kernels [--types T,…] [--shapes RxC,…] [--rows N,…] [-t N] [-o table|json] [flags]", footer = {
        "%n  --types T,…          Types of weights. Default: F32,F16,BF16,Q8_0,Q4_0,Q4_1,Q4_K,Q5_K,Q6_K.",
        "  --shapes RxC,…       Rows and columns of weights. Default: 4096x4096.",
        "  --rows N,…           Rows of activations: 1 as when one sequence is decoded, 512 as with a prompt. Default: 1,4,16,512.",
        "  --memory SIZE        Weights of a case, more than caches hold. Default: 768MiB.",
        "  --seconds S          How long each case runs. Default: 0.5.",
        "  -t, --threads N      Threads that compute. Default: one for each processor.",
        "  -o, --output table|json",
        "%nGB/s are those of weights as they are stored. The share is that of what the same threads read in the same run.",
        "%nExamples:",
        "  maniple bench kernels",
        "  maniple bench kernels --types Q4_0,Q8_0 --shapes 4096x4096,151936x1024 --rows 1 -t 2",
        "  maniple bench kernels --types BF16 --activation-dtype f32 -o json"})
    static final class BenchKernels extends UnitCommand {
        BenchKernels(Surroundings surroundings) {
            super(surroundings);
        }

        @Override
        public Integer call() {
            return new KernelTable(surroundings, KernelArguments.parse(arguments), reader()).print();
        }
    }

    @Command(name = "plan", description = "Shows how a model can be spread over some ranks, from its config.json alone, and recommends a configuration.", customSynopsis = "maniple plan MODEL --ranks-per-node N [--nnodes N] [--memory-limit SIZE] [flags]", footer = {
        "%nFlags that say how the model is spread are wishes, which are kept.",
        "%nExamples:",
        "  maniple plan models/DeepSeek-V3 --nnodes 2 --ranks-per-node 8 --memory-limit 80GiB",
        "  maniple plan models/Qwen3-32B --ranks-per-node 8 --memory-limit 80GiB --max-model-len 32768 --pp 1"})
    static final class Plan extends UnitCommand {
        Plan(Surroundings surroundings) {
            super(surroundings);
        }

        @Override
        public Integer call() {
            var unit = UnitArguments.withModel(arguments, List.of());
            return surroundings.starter().plan(reader().readForPlan(unit.file(), unit.flags()));
        }
    }

    @Command(name = "rank", description = "Is one rank: what launch starts, and what SLURM, torchrun or Kubernetes may start themselves.", customSynopsis = "maniple rank [FILE] [flags] [--local-rank N]", footer = {
        "%nExamples:",
        "  srun maniple rank unit.yaml --unit-secret-file secret",
        "  maniple rank unit.yaml --nnodes 2 --node-rank 1 --local-rank 0 --dist-init-addr node-0:29501 --unit-secret-file secret"})
    static final class Rank extends UnitCommand {
        Rank(Surroundings surroundings) {
            super(surroundings);
        }

        @Override
        public Integer call() throws InterruptedException {
            var unit = UnitArguments.parse(arguments);
            var plan = new LaunchPlan(reader().readForRank(unit.file(), unit.flags()), unit.forRank());
            return unit.dryRun() ? surroundings.starter().dryRun(plan, unit.program()) : surroundings.starter().rank(plan);
        }
    }
}
