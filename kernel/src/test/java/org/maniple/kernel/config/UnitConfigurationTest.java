package org.maniple.kernel.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;
import org.maniple.api.config.Settings;
import org.maniple.api.mesh.AxisRule;
import org.maniple.api.mesh.MeshDimension;
import org.maniple.api.mesh.Parallelism;
import org.maniple.kernel.plugin.ExtensionKind;

class UnitConfigurationTest {

    @TempDir
    Path root;

    private TestInstallation installation() {
        return new TestInstallation(root);
    }

    @Test
    void aFlagWinsOverAVariableThatOverTheFileAndThatOverTheDefault() {
        var installation = installation().variables("MANIPLE_MAX_NUM_SEQS=3", "MANIPLE_SEED=3");
        var file = installation.file("unit.yaml", "model: models/demo", "max-num-seqs: 2", "seed: 2", "block-size: 2");
        var settings = installation.reader().readForNode(Optional.of(file), List.of("--seed", "4")).settings();
        assertThat(List.of(settings.integer("seed"), settings.integer("max-num-seqs"), settings.integer("block-size"),
                settings.integer("port")))
                .containsExactly(4, 3, 2, 8000);
        assertThat(List.of(settings.source("seed"), settings.source("max-num-seqs"), settings.source("block-size"),
                settings.source("port")))
                .containsExactly("--seed", "MANIPLE_MAX_NUM_SEQS", "unit.yaml:4", "default");
    }

    @Test
    void thePlatformStandsBetweenFileAndDefault() {
        var installation = installation().variables("LWS_WORKER_INDEX=0", "LWS_GROUP_SIZE=4", "LWS_LEADER_ADDRESS=a");
        var settings = installation.yaml("nnodes: 2", "tp: 2", "unit-secret: " + TestInstallation.SECRET).settings();
        assertThat(settings.integer("nnodes")).isEqualTo(2);
        assertThat(settings.source("dist-init-addr")).isEqualTo("LWS_LEADER_ADDRESS");
    }

    /** The one table of spellings that mean the same as a key here. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--tensor-parallel-size 2 | tensor-parallel-size | 2", "--tp 2 | tensor-parallel-size | 2",
        "-tp 2 | tensor-parallel-size | 2",
        "-tp=2 | tensor-parallel-size | 2", "--tp-size 2 | tensor-parallel-size | 2",
        "--tensor_parallel_size=2 | tensor-parallel-size | 2",
        "--pp 2 | pipeline-parallel-size | 2", "-pp 2 | pipeline-parallel-size | 2", "--pp-size 2 | pipeline-parallel-size | 2",
        "--mem-fraction-static 0.5 | gpu-memory-utilization | 0.5", "--chunked-prefill-size 256 | max-num-batched-tokens | 256",
        "--context-length 99 | max-model-len | 99", "--max-running-requests 9 | max-num-seqs | 9",
        "--page-size 8 | block-size | 8",
        "--device cpu | compute | cpu", "--nccl-init-addr a:1 | dist-init-addr | a:1", "--node-size 1 | nnodes | 1",
        "--random-seed 7 | seed | 7", "--dist-timeout 90 | join-timeout | 90s", "--watchdog-timeout 5m | step-timeout | 300s",
        "--served-model-name a,b | served-model-name | a,b", "--no-skip-tokenizer-init | skip-tokenizer-init | false",
        "--skip-tokenizer-init | skip-tokenizer-init | true", "--skip-tokenizer-init false | skip-tokenizer-init | false",
        "--kv-cache-memory-bytes 2MiB | kv-cache-memory-bytes | 2097152",
        "--disable-radix-cache | enable-prefix-caching | false", "--max-queued-requests 9 | max-num-queued-reqs | 9"})
    void spellingsOfTheFieldMeanTheSame(String flags, String key, String value) {
        assertThat(installation().flags(flags.split(" ")).settings().shown()).containsEntry(key, value);
    }

    @ParameterizedTest
    @CsvSource({"disable-radix-cache: true, false", "disable-radix-cache: false, true", "no-enable-prefix-caching: true, false"})
    void aNegationInAFileMeansTheOpposite(String line, boolean expected) {
        assertThat(installation().yaml(line).settings().flag("enable-prefix-caching")).isEqualTo(expected);
    }

    @Test
    void aModelMayBeGivenAsSglangSpellsIt() {
        var settings = installation().reader().readForNode(Optional.empty(), List.of("--model-path", "models/demo")).settings();
        assertThat(settings.texts("served-model-name")).containsExactly("models/demo");
        assertThat(settings.text("model")).isEqualTo(root.resolve("maniple/models/demo").toString());
    }

    @Test
    void aSpellingOfAKeyThatAPluginDeclaresWorksOnceThePluginIsThere() {
        var installation = installation().with(ExtensionKind.PARALLELISM,
                new TestInstallation.Sizes("expert", "xp", 50, "num-redundant-experts"));
        assertThat(installation.flags("--ep-num-redundant-experts", "1").settings().source("num-redundant-experts"))
                .isEqualTo("--ep-num-redundant-experts");
    }

    /** As vLLM's -ep and SGLang's --ep do. */
    @Test
    void aFlagWithOneDashMayMeanSomethingElseThanWithTwo() {
        var installation = installation().with(ExtensionKind.PARALLELISM, new OneAndTwoDashes());
        var settings = installation.flags("-xy", "--xy", "3").settings();
        assertThat(settings.flag("enable-xy")).isTrue();
        assertThat(settings.integer("xy-size")).isEqualTo(3);
        assertThat(installation.yaml("xy: 4").settings().integer("xy-size")).isEqualTo(4);
    }

    private static final class OneAndTwoDashes implements Parallelism {
        @Override
        public String name() {
            return "dashes";
        }

        @Override
        public List<Option> options() {
            return List.of(Option.of("enable-xy", OptionType.BOOLEAN, "Switch.").withAliases("-xy"),
                    Option.of("xy-size", OptionType.INTEGER, "Size.").withAliases("--xy"));
        }

        @Override
        public List<MeshDimension> dimensions() {
            return List.of();
        }

        @Override
        public int size(MeshDimension dimension, Settings settings) {
            throw new UnsupportedOperationException();
        }

        @Override
        public List<AxisRule> rules(Settings settings) {
            return List.of();
        }
    }

    @Test
    void flagsWithoutMeaningAreAcceptedWithOneLineEach() {
        var configuration = installation().flags("--trust-remote-code", "--grammar-backend", "xgrammar", "--cuda-graph-max-bs=16",
                "--enforce-eager",
                "--distributed-executor-backend", "mp", "--seed", "1");
        assertThat(configuration.notices()).containsExactly(
                "accepted, no effect: --trust-remote-code (models are plugins; no code is taken from a checkpoint)",
                "accepted, no effect: --grammar-backend xgrammar (there is one grammar engine at most)",
                "accepted, no effect: --cuda-graph-max-bs 16 (there are no CUDA graphs)",
                "accepted, no effect: --enforce-eager (there are no CUDA graphs)",
                "accepted, no effect: --distributed-executor-backend mp (ranks are always processes of their own)");
        assertThat(configuration.settings().integer("seed")).isEqualTo(1);
    }

    @Test
    void theyAreAcceptedInAFileToo() {
        assertThat(installation().yaml("trust-remote-code: true").notices())
                .containsExactly("accepted, no effect: unit.yaml:2 trust-remote-code"
                        + " (models are plugins; no code is taken from a checkpoint)");
    }

    @Test
    void variablesThatKubernetesMakesForAServiceNamedManipleAreIgnored() {
        var settings = installation()
                .variables("MANIPLE_PORT=tcp://10.0.0.1:8000", "MANIPLE_SERVICE_HOST=10.0.0.1", "MANIPLE_SERVICE_PORT=8000",
                        "MANIPLE_SERVICE_PORT_HTTP=8000", "MANIPLE_PORT_8000_TCP=tcp://10.0.0.1:8000",
                        "MANIPLE_PORT_8000_TCP_ADDR=10.0.0.1",
                        "MANIPLE_API_PORT=tcp://10.0.0.2:80", "MANIPLE_JAVA_HOME=/opt/jdk")
                .flags().settings();
        assertThat(settings.integer("port")).isEqualTo(8000);
        assertThat(settings.given("port")).isFalse();
    }

    @Test
    void automaticChoicesAreReplacedByNamesAndShown() {
        var one = installation().flags().settings();
        assertThat(one.text("transport")).isEqualTo("local");
        var two = installation().flags("--tp", "2");
        assertThat(two.settings().text("transport")).isEqualTo("tcp");
        assertThat(two.chosen(ExtensionKind.COMPUTE).name()).isEqualTo("cpu");
        assertThat(two.settings().render())
                .anyMatch(line -> line.matches("transport +tcp +derived: auto → tcp, the highest score on this host"));
    }

    @Test
    void theRenderedConfigurationShowsEveryValueWithItsSourceAndHidesSecrets() {
        var lines = installation().flags("--tp", "2", "--unit-secret", TestInstallation.SECRET, "--join-timeout", "1500ms")
                .settings().render();
        assertThat(lines.stream().map(line -> line.replaceAll(" +", " ")).map(line -> line.replace(root.toString(), "ROOT")))
                .contains(
                        "model ROOT/maniple/models/demo derived: models/demo → ROOT/maniple/models/demo, made absolute",
                        "served-model-name models/demo derived: none → models/demo, the model's path as given",
                        "tensor-parallel-size 2 --tp",
                        "unit-secret (hidden) --unit-secret", "join-timeout 1500ms --join-timeout", "port 8000 default",
                        "threads 4 derived: none → 4, 8 processors for 2 ranks");
        assertThat(String.join("\n", lines)).doesNotContain(TestInstallation.SECRET);
    }

    @Test
    void whatRanksCompareHasNeitherLocalKeysNorSecrets() {
        var comparable = installation().flags("--tp", "2", "--unit-secret", TestInstallation.SECRET, "--max-model-len", "99")
                .settings().comparable();
        assertThat(comparable).containsEntry("tensor-parallel-size", "2").containsEntry("max-model-len", "99")
                .containsEntry("transport", "tcp")
                .doesNotContainKeys("unit-secret", "node-rank", "threads", "model", "port", "comm-ifname");
    }

    @Test
    void theMeshIsOrderedByNestingAndTheGridShowsIt() {
        var configuration = installation().flags("--tp", "2", "--pp", "2");
        assertThat(configuration.mesh().dimensions()).extracting("name").containsExactly("pp", "tp");
        assertThat(RankGrid.render(configuration.mesh(), configuration.topology())).containsExactly("rank  node  pp   tp",
                "0     0     0    0",
                "1     0     0    1", "2     0     1    0", "3     0     1    1");
    }

    @Test
    void aParallelismFromOutsideBringsItsDimensionKeyAndFlag() {
        var installation = installation().with(ExtensionKind.PARALLELISM,
                new TestInstallation.Sizes("context", "cp", 400, "context-parallel-size"));
        var mesh = installation.flags("--cp", "2", "--tp", "2").mesh();
        assertThat(mesh.dimensions()).extracting("name").containsExactly("pp", "tp", "cp");
        assertThat(mesh.ranks()).isEqualTo(4);
        assertThat(installation.yaml("context-parallel-size: 3").mesh().ranks()).isEqualTo(3);
    }

    @Test
    void neighboursOnDifferentNodesAreMentioned() {
        var notices = installation()
                .flags("--tp", "4", "--nnodes", "2", "--node-rank", "0", "--dist-init-addr", "a:1", "--unit-secret",
                        TestInstallation.SECRET, "--host", "localhost")
                .notices();
        assertThat(notices).containsExactly(
                "host [localhost] (--host) is loopback: only programs on node 0 itself reach this unit of 2 nodes; give --host 0.0.0.0 to serve others",
                "dimension tp goes over the network: rank 0 is on node 0 and rank 2 on node 1; it is faster with at most 2 ranks along tp");
    }

    @Test
    void manyMoreRanksThanProcessorsAreMentioned() {
        assertThat(installation().flags("--tp", "16", "--pp", "16").notices())
                .containsExactly("the mesh pp 16 × tp 16 has 256 ranks, of which 256 run"
                        + " on this node with 8 processors; sizes are multiplied, so check that all of them are meant");
        assertThat(installation().flags("--tp", "4", "--pp", "8").notices()).isEmpty();
    }

    @Test
    void aUnitOfSeveralNodesIsExposedOnlyIfToldAndSaysSoOnTheNodeThatServes() {
        var first = installation().flags("--tp", "2", "--nnodes", "2", "--node-rank", "0", "--dist-init-addr", "a:1",
                "--unit-secret",
                TestInstallation.SECRET);
        var second = installation().flags("--tp", "2", "--nnodes", "2", "--node-rank", "1", "--dist-init-addr", "a:1",
                "--unit-secret",
                TestInstallation.SECRET);
        assertThat(first.settings().text("host")).isEqualTo("127.0.0.1");
        assertThat(first.notices())
                .contains("host [127.0.0.1] (default) is loopback: only programs on node 0 itself reach this unit of 2 nodes;"
                        + " give --host 0.0.0.0 to serve others");
        assertThat(second.notices()).noneMatch(notice -> notice.contains("loopback"));
    }

    @Test
    void aSecretMayComeFromAFileWhoseLastLineBreakDoesNotCount() {
        var installation = installation();
        var secret = installation.file("secret", TestInstallation.SECRET);
        assertThat(installation.flags("--unit-secret-file", secret.toString()).secret()).hasValueSatisfying(
                found -> assertThat(new String(found.bytes(), java.nio.charset.StandardCharsets.UTF_8))
                        .isEqualTo(TestInstallation.SECRET));
    }

    @Test
    void valuesHaveTheTypesOfTheirOptions() {
        var settings = installation()
                .yaml("step-timeout: 5m", "kv-cache-memory-bytes: 2GiB", "tp: 2", "tp-weights: [1, 2.5]", "ranks-per-node: [2]",
                        "served-model-name: [a, b]")
                .settings();
        assertThat(settings.duration("step-timeout")).isEqualTo(Duration.ofMinutes(5));
        assertThat(settings.bytes("kv-cache-memory-bytes")).isEqualTo(2L << 30);
        assertThat(settings.numbers("tp-weights")).containsExactly(1.0, 2.5);
        assertThat(settings.integers("ranks-per-node")).containsExactly(2);
        assertThat(settings.texts("served-model-name")).containsExactly("a", "b");
        assertThat(settings.optionalText("tokenizer")).isEmpty();
        assertThat(settings.flag("skip-tokenizer-init")).isFalse();
    }
}
