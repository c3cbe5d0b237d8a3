package org.maniple.system.nodes;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.maniple.system.Distribution;
import org.maniple.system.UnitProcess;

/** Two machines that do not belong together are told why, both of them. */
class RefusalIT {

    private static final Duration END = Duration.ofSeconds(90);
    private static final String REFUSED = "the ranks do not form a unit:";

    @TempDir
    Path folder;

    private TwoNodes nodes;
    private String file;

    @BeforeEach
    void build() {
        nodes = new TwoNodes(folder, 1);
        file = nodes.unit(2, 1);
    }

    @AfterEach
    void end() {
        nodes.close();
    }

    @Test
    void anotherSecretIsNeverLetIn() {
        nodes.file("other-secret", "t".repeat(32));
        UnitProcess first = launchFirst("--join-timeout", "8s");
        UnitProcess second = nodes.launch(nodes.machines.second, file, "1", "--unit-secret-file", "other-secret");

        assertThat(second.exitCode(END)).isEqualTo(1);
        assertThat(first.exitCode(END)).isEqualTo(1);
        assertSays(second,
                "maniple: rank 0 at 10.77.1.1:29501 does not know the unit secret (or ours differs); give all ranks of the unit the"
                        + " same one");
        assertThat(first.output().text()).containsPattern(
                "rank 0 refused a connection: rank 1 at 10\\.77\\.1\\.2:\\d+ does not know the unit secret \\(or ours differs\\)")
                .doesNotContain("tttt").doesNotContain("ssss");
    }

    @Test
    void anotherVersionOfTheSoftwareIsNamedOnBothSides() throws IOException {
        Distribution other = new Copies(folder).ofVersion(nodes.distribution, "9.9.9");
        UnitProcess first = launchFirst();
        UnitProcess second = nodes.launch(other, nodes.machines.second, file, "1");

        assertRefused(first, second, "software version: rank 0 on n0 has 0\\.1\\.0\\S*, rank 1 on n1 has 9\\.9\\.9;"
                + " install the same version of Maniple on all nodes");
    }

    @Test
    void anotherValueOfAKeyIsNamedOnBothSides() {
        UnitProcess first = launchFirst();
        UnitProcess second = nodes.launch(nodes.machines.second, file, "1", "--max-num-batched-tokens", "256");

        assertRefused(first, second, "configuration key \\[max-num-batched-tokens]: rank 0 on n0 has 512, rank 1 on n1 has 256;"
                + " give every rank the same file or flags");
    }

    @Test
    void aPluginThatOneNodeLacksIsNamedOnBothSides() throws IOException {
        Distribution other = new Copies(folder).distribution(nodes.distribution);
        UnitProcess disabled = nodes.start(nodes.machines.second, other.command(List.of("plugins", "disable", "model-gemma")),
                Map.of());
        assertThat(disabled.exitCode(END)).isZero();
        UnitProcess first = launchFirst();
        UnitProcess second = nodes.launch(other, nodes.machines.second, file, "1");

        assertRefused(first, second, "plugin set: rank 1 on n1 lacks \\[model-gemma \\S+], which rank 0 on n0 has;"
                + " install and enable the same plugins on all nodes");
    }

    @Test
    void oneFlippedBitOfTheModelIsFoundByTheFullChecksum() throws IOException {
        Path model = new Copies(folder).model(nodes.distribution.demoModel(), "model.safetensors",
                Copies.Change.oneBitInTheMiddle());
        UnitProcess first = launchFirst("--model-checksum", "full");
        UnitProcess second = nodes.launch(nodes.machines.second, file, "1", "--model-checksum", "full", "--model",
                model.toString());

        assertRefused(first, second,
                "model file model\\.safetensors differs: rank 0 on n0 has size \\d+, [^;]*sha256 \\S+, rank 1 on n1 has size \\d+, [^;]*sha256 \\S+;"
                        + " copy the same model to all nodes");
    }

    @Test
    void anotherConfigurationOfTheModelIsFoundByTheDefaultFingerprint() throws IOException {
        Path model = new Copies(folder).model(nodes.distribution.demoModel(), "config.json",
                Copies.Change.word("rms_norm_eps\": 1e-0", "rms_norm_eps\": 1e-1"));

        assertModelRefused(model, "config\\.json");
    }

    @Test
    void anotherHeaderOfTheWeightsIsFoundByTheDefaultFingerprint() throws IOException {
        Path model = new Copies(folder).model(nodes.distribution.demoModel(), "model.safetensors",
                Copies.Change.word("\"format\":\"pt\"", "\"format\":\"np\""));

        assertModelRefused(model, "model\\.safetensors");
    }

    private void assertModelRefused(Path model, String name) {
        UnitProcess first = launchFirst();
        UnitProcess second = nodes.launch(nodes.machines.second, file, "1", "--model", model.toString());

        assertRefused(first, second,
                "model file " + name
                        + " differs: rank 0 on n0 has size \\d+, [^;]*sha256 \\S+, rank 1 on n1 has size \\d+, [^;]*sha256 \\S+;"
                        + " copy the same model to all nodes");
    }

    /** What becomes of SLURM's $SLURM_NODEID on the srun line (trap T1). */
    @Test
    void aSecondRankZeroIsRefusedNamingBothHosts() {
        UnitProcess first = launchFirst();
        UnitProcess second = nodes.launch(nodes.machines.second, file, "0");

        assertRefused(first, second, "rank 0 is claimed twice: by n0 \\(process \\d+, 10\\.77\\.1\\.1:29501\\) and by n1"
                + " \\(process \\d+, 10\\.77\\.1\\.2:29501\\); give every process a rank of its own\\. Under SLURM, \\$SLURM_NODEID on the srun"
                + " line is expanded by the batch shell, where it is 0: write --node-rank auto");
    }

    @Test
    void aNodeThatNeverComesIsNamedWhenTheTimeIsOver() {
        UnitProcess first = launchFirst("--join-timeout", "3s");

        assertThat(first.exitCode(END)).isEqualTo(1);
        assertSays(first,
                "gave up after 3 s: ranks [1] have not joined (rank 1 on node 1); see what their nodes say, and check that they can"
                        + " reach 10.77.1.1:29501");
    }

    @Test
    void aFirstNodeThatIsNotThereIsNamedWhenTheTimeIsOver() {
        UnitProcess second = nodes.launch(nodes.machines.second, file, "1", "--join-timeout", "3s");

        assertThat(second.exitCode(END)).isEqualTo(1);
        assertThat(second.output().text())
                .contains("rank 1 on n1 gave up after 3 s: rank 0 did not answer at 10.77.1.1:29501; start it there");
    }

    @Test
    void anInterfaceThatIsNotThereIsRefusedWithThoseThatAre() {
        UnitProcess second = nodes.launch(nodes.machines.second, file, "1", "--comm-ifname", "=eth1");

        assertThat(second.exitCode(END)).isEqualTo(2);
        assertThat(second.output().text())
                .contains("maniple: --comm-ifname: [=eth1] matches no network interface of this machine; there are:")
                .contains("eth0 [10.77.1.2]").contains("docker0 [172.17.0.1]").contains("lo [127.0.0.1");
    }

    private UnitProcess launchFirst(String... more) {
        return nodes.launch(nodes.machines.first, file, "0", more);
    }

    private static void assertRefused(UnitProcess first, UnitProcess second, String reason) {
        for (UnitProcess node : List.of(first, second)) {
            assertThat(node.exitCode(END)).as(node.output().text()).isEqualTo(2);
            assertThat(node.output().text()).contains(REFUSED).containsPattern(Pattern.compile("(?m)^  " + reason + "$"));
        }
    }

    private static void assertSays(UnitProcess process, String line) {
        assertThat(process.output().lines()).contains(line);
    }
}
