package org.maniple.kernel.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.kernel.plugin.ExtensionKind;

/** Each mistake with its whole message. HOME stands for the installation. */
class ConfigurationMistakesTest {

    @TempDir
    Path root;

    private static Arguments flags(String line, String... messages) {
        return Arguments.of("flags", line, messages);
    }

    private static Arguments yaml(String lines, String... messages) {
        return Arguments.of("yaml", lines, messages);
    }

    private static Arguments variable(String assignment, String... messages) {
        return Arguments.of("variable", assignment, messages);
    }

    static Stream<Arguments> mistakes() {
        return Stream.of(MISTAKES);
    }

    private static final Arguments[] MISTAKES = {
        // flags
        flags("--tensor-paralel-size 2",
                "--tensor-paralel-size: unknown flag [tensor-paralel-size]; did you mean [tensor-parallel-size]?"),
        flags("--tpp 2", "--tpp: unknown flag [tpp]; did you mean [tp]?"),
        flags("--zzzzzzzzz 2",
                "--zzzzzzzzz: unknown flag [zzzzzzzzz]; maniple launch --help and maniple plugins info list the known ones"),
        flags("--port", "--port: the flag needs a value: Port at which rank 0 serves; 0: any free one."),
        flags("--port eight", "--port: [eight] is not a whole number"),
        flags("--port 70000", "--port: [70000] is no port; give at most 65535"),
        flags("--port -1", "--port: [-1] is too small; give at least 0"),
        flags("--port 99999999999", "--port: [99999999999] is beyond the largest whole number 2147483647"),
        flags("--port 8000 9000", "9000: a flag was expected here; values stand behind their flag, as in --port 8000"),
        flags("--tp 2 --tensor-parallel-size 4", "--tensor-parallel-size: [4] contradicts [2] of --tp; give it once"),
        flags("--tp 0", "--tp tensor-parallel-size: [0] is too small; give at least 1"),
        flags("--skip-tokenizer-init=maybe", "--skip-tokenizer-init: [maybe] is neither true nor false"),
        flags("--numerics precise", "--numerics: [precise] is not one of [fast, exact]"),
        flags("--link-security tls", "--link-security: [tls] is not one of [auth, integrity, encrypt]"),
        flags("--activation-dtype bf16", "--activation-dtype: [bf16] is not one of [auto, f32]"),
        flags("--kv-cache-dtype bf61",
                "--kv-cache-dtype: [bf61] is not one of [auto, f32, float32, bf16, bfloat16, int8]; did you mean [bf16]?"),
        flags("--kv-cache-dtype fp8_e4m3",
                "--kv-cache-dtype: [fp8_e4m3] is not done here: int8 takes the same memory and, with a factor for each token and head, keeps"
                        + " more of each element than the 3 or 2 bits of an FP8 mantissa; give int8"),
        flags("--kv-cache-memory-bytes 2gigs",
                "--kv-cache-memory-bytes: [2gigs] is not a number of bytes such as 512MiB, 2GiB or 1000000"),
        flags("--kv-cache-memory-bytes 99999999TiB", "--kv-cache-memory-bytes: [99999999TiB] is more bytes than can be counted"),
        flags("--join-timeout soon", "--join-timeout: [soon] is not a length of time such as 500ms, 30s or 5m"),
        flags("--join-timeout 0", "--join-timeout: [0s] would give up at once; give at least 1s"),
        flags("--gpu-memory-utilization 1.5", "--gpu-memory-utilization: [1.5] must be above 0 and at most 1"),
        flags("--mem-fraction-static NaN", "--mem-fraction-static gpu-memory-utilization: [NaN] is not a number"),
        flags("--tp-weights 1,x", "--tp-weights: [x] is not a number"),
        flags("--tp 2 --tp-weights 1,2,3", "--tp-weights: 3 weights for 2 ranks; give as many"),
        flags("--enable-dbo --dbo-decode-token-threshold 1",
                "--dbo-decode-token-threshold: [1] is too small; give at least 2"),
        flags("--enable-two-batch-overlap --speculative-algorithm NEXTN",
                "--enable-two-batch-overlap enable-dbo: [true] does not go with a layer of the model that guesses tokens (speculative-algorithm),"
                        + " whose passes go on from whole steps; leave one of the two out"),
        flags("--max-num-seqs 100 --max-num-batched-tokens 64",
                "--max-num-batched-tokens: a step of at most 64 tokens (max-num-batched-tokens)"
                        + " cannot hold one of each of 100 sequences (max-num-seqs); make the first at least as large as the second"),
        flags("--num-gpu-blocks-override 10 --gpu-memory-utilization 0.5",
                "--num-gpu-blocks-override: only one of kv-cache-memory-bytes,"
                        + " num-gpu-blocks-override and gpu-memory-utilization can decide how many KV blocks there are; give one of them"),
        flags("--health-port 8000",
                "--health-port: [8000] is the port at which the unit serves, which opens only when it is ready; give another"),
        flags("--unit-name a/b", "--unit-name: [a/b] must consist of at most 63 letters, digits, dots and dashes"),
        flags("--unit-secret short",
                "--unit-secret: the secret has 5 bytes; give at least 16, for example from [openssl rand -hex 16]"),
        flags("--unit-secret-file nowhere/secret", "--unit-secret-file: there is no file [CWD/nowhere/secret]"),
        flags("--unit-secret 0123456789abcdef --unit-secret-file x",
                "--unit-secret-file: unit-secret is given too (--unit-secret); give one of the two"),
        flags("--transport rdmaa",
                "--transport: transport [rdmaa] is not installed; installed: [local, rdma, tcp]; available on this host:"
                        + " [local, tcp]; did you mean [rdma]?"),
        flags("--transport rdma",
                "--transport: transport [rdma] cannot work on this host: libibverbs.so.1 not found; available on this host: [local, tcp]"),
        flags("--transport local --tp 2",
                "--transport: [local] joins ranks of one process, but the mesh pp 1 × tp 2 has 2 ranks, each a process"
                        + " of its own; leave it out, or name another transport"),
        flags("--device cuda",
                "--device compute: compute [cuda] is not installed; installed: [cpu]; available on this host: [cpu]"),
        flags("--tokenizer x --skip-tokenizer-init",
                "--tokenizer: skip-tokenizer-init (--skip-tokenizer-init) says that no tokenizer is loaded;"
                        + " give only one of the two"),
        flags("--tokenizer nowhere", "--tokenizer: there is no file or folder [nowhere]; looked at: [CWD/nowhere, HOME/nowhere]"),
        flags("--moe-a2a-backend deepep",
                "--moe-a2a-backend all2all-backend: all2all-backend [deepep] is not installed; installed: [];"
                        + " available on this host: []"),
        flags("--ep-num-redundant-experts 2",
                "--ep-num-redundant-experts: [ep-num-redundant-experts] belongs to expert parallelism, which no"
                        + " enabled plugin brings (key [num-redundant-experts]); see maniple plugins list"),
        flags("--enable-dp-attention",
                "--enable-dp-attention: [enable-dp-attention] belongs to data-parallel attention, which no enabled plugin"
                        + " brings (key [enable-dp-attention]); see maniple plugins list"),
        flags("--distributed-executor-backend ray",
                "--distributed-executor-backend: [ray] needs a Ray launcher plugin, which is not installed;"
                        + " several nodes work without it: start maniple launch on each node with --nnodes, --node-rank and --dist-init-addr"),
        flags("--cuda-graph-max-bs",
                "--cuda-graph-max-bs: the flag needs a value (it has no effect here: there are no CUDA graphs)"),
        flags("--headless",
                "--headless: node 0 is the one that serves: with it every node is --headless and nobody serves; start node 0 without the flag"),
        // topology
        flags("--nnodes 0", "--nnodes: [0] is too small; give at least 1"),
        flags("--nnodes 2 --dist-init-addr a:1 --unit-secret " + TestInstallation.SECRET + " --tp 2",
                "node-rank: nnodes is 2 and nothing says"
                        + " which node this is; give --node-rank 0 to 1, or start it where SLURM, LeaderWorkerSet or RANK_ID says so"),
        flags("--nnodes 2 --node-rank 2 --dist-init-addr a:1 --tp 2",
                "--node-rank: [2] must be below nnodes [2] (--nnodes); correct one of the two"),
        flags("--nnodes 2 --node-rank first --dist-init-addr a:1 --tp 2",
                "--node-rank: [first] is neither a whole number nor auto"),
        flags("--nnodes 2 --node-rank 0 --tp 2",
                "dist-init-addr: nnodes is 2 and nothing says where node 0 is; give --dist-init-addr HOST:PORT"
                        + " with the same value on every node"),
        flags("--nnodes 2 --node-rank 0 --tp 2 --dist-init-addr http://a:1",
                "--dist-init-addr: [http://a:1] is not of the form HOST:PORT,"
                        + " for example node-0:29501 or [fd00::1]:29501"),
        flags("--nnodes 2 --node-rank 0 --tp 2 --dist-init-addr a:1 --master-port 2 --unit-secret " + TestInstallation.SECRET,
                "--master-port: it contradicts dist-init-addr [a:1]"
                        + " (--dist-init-addr); give only one of the two"),
        flags("--nnodes 2 --node-rank 0 --tp 2 --dist-init-addr a:1",
                "unit-secret: a unit of several nodes needs a secret, so that nobody else"
                        + " can join it; put one of at least 16 bytes into a file on every node and give --unit-secret-file FILE, or set MANIPLE_UNIT_SECRET"),
        flags("--nnodes 3 --node-rank 0 --tp 2 --pp 2 --dist-init-addr a:1",
                "--nnodes: [3] nodes cannot hold the 4 ranks of pp 2 × tp 2 evenly;"
                        + " give sizes whose product is a multiple of 3, or say how many ranks each node has with ranks-per-node"),
        flags("--nnodes 2 --node-rank 0 --tp 3 --ranks-per-node 2,2 --dist-init-addr a:1",
                "--ranks-per-node: the nodes have 4 ranks [2, 2], but"
                        + " the mesh pp 1 × tp 3 has 3 ranks; make the two numbers equal"),
        flags("--nnodes 2 --node-rank 0 --tp 3 --ranks-per-node 1,1,1 --dist-init-addr a:1",
                "--ranks-per-node: [1, 1, 1] has 3 entries for nnodes 2;"
                        + " give one number for all nodes, or one for each"),
        flags("--tp 60000 --pp 60000", "mesh: pp 60000 × tp 60000 has more than 65536 ranks; make one of the sizes smaller"),
        flags("--nnodes 2 --node-rank 0 --tp 2 --dist-init-addr a:1 --comm-ifname =eth7 --unit-secret " + TestInstallation.SECRET,
                "--comm-ifname: [=eth7] matches no network interface of this machine; there are: [lo [127.0.0.1, ::1], docker0 [172.17.0.1],"
                        + " eth0 [10.0.0.5, fd00::5], eth1 [10.1.0.5]]"),
        // variables
        variable("MANIPLE_TENSOR_PARALEL_SIZE=2",
                "MANIPLE_TENSOR_PARALEL_SIZE: no configuration key has this variable; did you mean"
                        + " [MANIPLE_TENSOR_PARALLEL_SIZE]?"),
        variable("MANIPLE_XYZ=2", "MANIPLE_XYZ: no configuration key has this variable; unset it"),
        variable("MANIPLE_PORT=x", "MANIPLE_PORT: [x] is not a whole number"),
        variable("POD_INDEX=x", "POD_INDEX: [x] is not a whole number; the platform sets it, or unset it"),
        variable("LWS_WORKER_INDEX=0 LWS_GROUP_SIZE=0",
                "LWS_GROUP_SIZE nnodes: [0] is too small; the platform sets it, or unset it"),
        variable("POD_INDEX=1", "POD_INDEX node-rank: [1] must be below nnodes [1] (default); correct one of the two"),
        variable("RANK=0 WORLD_SIZE=4 LOCAL_WORLD_SIZE=4",
                "LOCAL_WORLD_SIZE: torchrun starts [4] processes on this node, but launch and serve"
                        + " start the ranks of a node themselves; start one process for each node, or use maniple rank"),
        variable("SLURM_NODEID=0 SLURM_NNODES=1 SLURM_JOB_NODELIST=n[1-",
                "SLURM_JOB_NODELIST: host list [n[1-] has brackets that do not match"),
        variable("MANIPLE_NNODES=2 MANIPLE_TENSOR_PARALLEL_SIZE=2 MANIPLE_UNIT_SECRET=" + TestInstallation.SECRET
                + " RANK_ID=0 MASTER_ADDRESS=a RANK_IP=10.9.9.9",
                "RANK_IP: [10.9.9.9] is no address of this machine; there are: [lo [127.0.0.1, ::1],"
                        + " docker0 [172.17.0.1], eth0 [10.0.0.5, fd00::5], eth1 [10.1.0.5]]"),
        // the file; its first line names the model
        yaml("tensor-paralel-size: 2", "unit.yaml:2: unknown key [tensor-paralel-size]; did you mean [tensor-parallel-size]?"),
        yaml("port: 8000\nport: 9000", "unit.yaml:3: key [port] occurs again; it is in line 2 already"),
        yaml("tp: 2\ntensor-parallel-size: 2",
                "unit.yaml:3 tensor-parallel-size: the key occurs again; it is in unit.yaml:2 already"),
        yaml("port: [8000]", "unit.yaml:2 port: a list was given where one value is wanted"),
        yaml("port: {a: 1}", "unit.yaml:2 port: a mapping was given where a value is wanted"),
        yaml("port:", "unit.yaml:2 port: the key has no value; give one, or remove the line"),
        yaml("\nport: \"x\"", "unit.yaml:3 port: [x] is not a whole number"),
        yaml("tp-weights: [1, [2]]", "unit.yaml:2 tp-weights: the list has an entry that is no plain value"),
        yaml("served-model-name: ''", "unit.yaml:2 served-model-name: the text is empty"),
        yaml("plugins: 7", "unit.yaml:2 plugins: give a list of plugin ids, or a mapping from plugin ids to their configuration"),
        yaml("plugins: [transport-tcpp]", "unit.yaml:2 plugins: plugin [transport-tcpp] is not installed; installed: []"),
        yaml("plugins:\n  - {a: 1}", "unit.yaml:3 plugins: a list has plugin ids only; use a mapping to configure a plugin"),
        yaml("node-rank: 0\nnnodes: 1\nheadless: true",
                "unit.yaml:4 headless: node 0 is the one that serves: with it every node is --headless and"
                        + " nobody serves; start node 0 without the flag"),
        // several at once
        flags("--port x --tensor-paralel-size 2", "--port: [x] is not a whole number",
                "--tensor-paralel-size: unknown flag [tensor-paralel-size]; did you mean [tensor-parallel-size]?"),
    };

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("mistakes")
    void aMistakeIsNamedWithItsSourceAndRemedy(String kind, String text, String[] messages) {
        var installation = new TestInstallation(root);
        var failure = catchThrowableOfType(ConfigurationException.class, () -> {
            switch (kind) {
                case "flags" -> installation.flags(text.split(" "));
                case "yaml" -> installation.yaml(text.split("\n"));
                default -> installation.variables(text.split(" ")).flags();
            }
        });
        assertThat(failure).isNotNull();
        assertThat(failure.problems().stream().map(this::masked)).containsExactly(messages);
    }

    private String masked(String message) {
        String cwd = Path.of("").toAbsolutePath().toString();
        return message.replace(root.resolve("maniple").toString(), "HOME").replace(cwd, "CWD");
    }

    @Test
    void theTableIsLongEnough() {
        assertThat(MISTAKES).hasSizeGreaterThan(40);
    }

    private List<String> problems(Runnable reading) {
        var failure = catchThrowableOfType(ConfigurationException.class, reading::run);
        assertThat(failure).isNotNull();
        return failure.problems().stream().map(this::masked).toList();
    }

    @Test
    void aHubNameIsAnsweredWithHowToGetTheFiles() {
        var reader = new TestInstallation(root).reader();
        assertThat(problems(() -> reader.readForNode(Optional.empty(), List.of("--model", "Qwen/Qwen3-0.6B")))).containsExactly(
                "--model: [Qwen/Qwen3-0.6B] looks like the name of a model on a hub; Maniple downloads nothing. Get its files with"
                        + " [hf download Qwen/Qwen3-0.6B --local-dir Qwen3-0.6B], then give --model Qwen3-0.6B");
    }

    @Test
    void aConfigurationWithoutAModelSaysHowToNameOne() {
        var reader = new TestInstallation(root).reader();
        assertThat(problems(() -> reader.readForNode(Optional.empty(), List.of()))).containsExactly(
                "model: no model is named; give its path with --model, or with the key [model] in a file");
    }

    @Test
    void aFileThatContradictsThePlatformIsAnErrorThatNamesBoth() {
        var installation = new TestInstallation(root).variables("RANK_ID=1", "MASTER_ADDRESS=a");
        assertThat(problems(
                () -> installation.yaml("nnodes: 2", "node-rank: 0", "tp: 2", "unit-secret: " + TestInstallation.SECRET)))
                .containsExactly(
                        "unit.yaml:3 node-rank: [0] contradicts RANK_ID [1]; a file is the same on all nodes, so leave node-rank out of it");
    }

    @Test
    void aRankThatSlurmsBatchShellHasExpandedIsExplained() {
        var installation = new TestInstallation(root).variables("SLURM_NODEID=1", "SLURM_NNODES=2", "SLURM_JOB_NODELIST=n[1-2]");
        assertThat(problems(() -> installation.flags("--node-rank", "0", "--tp", "2", "--unit-secret", TestInstallation.SECRET)))
                .containsExactly(
                        "--node-rank: [0] contradicts SLURM_NODEID [1]; on the srun line the batch shell expands $SLURM_NODEID, so that every task gets 0:"
                                + " leave the flag out, each task reads its own");
    }

    @Test
    void aUnitOfSeveralNodesNeverTakesLoopbackInSilence() {
        var installation = new TestInstallation(root).cards(new NetworkCard("lo", List.of("127.0.0.1"), true),
                new NetworkCard("docker0", List.of("172.17.0.1"), false));
        assertThat(problems(
                () -> installation.flags("--nnodes", "2", "--node-rank", "0", "--tp", "2", "--dist-init-addr", "node-0:1",
                        "--unit-secret", TestInstallation.SECRET)))
                .containsExactly("comm-ifname: a unit of several nodes needs a network interface that"
                        + " other machines reach, and this machine has none of its own; there are: [lo [127.0.0.1], docker0 [172.17.0.1]];"
                        + " name one with --comm-ifname");
    }

    @Test
    void anAutomaticChoiceWithoutAnythingToChooseSaysSo() {
        var installation = new TestInstallation(root).without(ExtensionKind.FRONTEND);
        assertThat(problems(installation::flags))
                .containsExactly("frontend: frontend [auto]: nothing is available on this host; installed: []");
    }

    @Test
    void severalRanksWithoutATransportBetweenProcessesSayWhatIsMissing() {
        var installation = new TestInstallation(root).without(ExtensionKind.TRANSPORT)
                .with(ExtensionKind.TRANSPORT, new TestInstallation.NamedTransport("local", 0, ""));
        assertThat(problems(() -> installation.flags("--tp", "2")))
                .containsExactly("transport: transport [auto]: nothing is available on this host;"
                        + " installed: [local]; not suitable for this unit: [local]");
    }

    @Test
    void twoPluginsCannotDeclareOneKeyOrAliasOrDimension() {
        var sameKey = new TestInstallation(root).with(ExtensionKind.PARALLELISM,
                new TestInstallation.Sizes("other", "xp", 9, "max-num-seqs"));
        assertThat(problems(sameKey::flags)).containsExactly(
                "plugin [kernel]: it declares key [max-num-seqs] otherwise than plugin [kernel] does; disable one of the two: maniple plugins disable kernel");
        var size = new TestInstallation(root)
                .with(ExtensionKind.PARALLELISM, new TestInstallation.Sizes("other", "xp", 9, "health-port"))
                .variable("MANIPLE_HEALTH_PORT", "0");
        assertThat(problems(size::flags)).contains(
                "parallelism [other]: it gives mesh dimension [xp] the size [0]; a size must be at least 1");
        var sameAlias = new TestInstallation(root).with(ExtensionKind.PARALLELISM,
                new TestInstallation.Sizes("other", "tp", 9, "other-size"));
        assertThat(problems(sameAlias::flags)).containsExactly(
                "plugin [kernel]: it declares [--tp] for key [other-size], but plugin [kernel] has it"
                        + " for key [tensor-parallel-size]; disable one of the two: maniple plugins disable kernel",
                "parallelism [other]: it adds mesh dimension [tp], which parallelism [tensor] adds too; disable the plugin of one of them");
    }

    @Test
    void unreadableFilesAreNamed() {
        var installation = new TestInstallation(root);
        var cases = new ArrayList<String>();
        cases.addAll(problems(() -> installation.reader().readForNode(Optional.of(root.resolve("no.yaml")),
                List.of("--model", "models/demo"))));
        cases.addAll(problems(() -> installation.yaml("a: [1, 2")));
        cases.addAll(problems(() -> installation.yaml("x: &a 1", "y: *a")));
        cases.addAll(problems(() -> installation.yaml("---", "port: 1")));
        cases.addAll(problems(() -> installation.yaml("a: " + "[".repeat(40) + "]".repeat(40))));
        cases.addAll(problems(() -> installation.yaml("#" + "x".repeat(1 << 20))));
        assertThat(cases).containsExactly(
                "no.yaml: there is no file [" + root.resolve("no.yaml") + "]; give the path of a YAML file",
                "unit.yaml:2: not YAML: while parsing a flow sequence: expected ',' or ']', but got <stream end>",
                "unit.yaml:3: aliases (*name) are not supported; write the value out",
                "unit.yaml:3: a second document begins here; a configuration is one document",
                "unit.yaml:2: values are nested more than 16 deep",
                "unit.yaml: the file has 1048597 bytes; a configuration has at most 1048576");
    }
}
