package org.maniple.kernel.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which address of a machine the other nodes are told. Cards: lo, docker0, eth0 (10.0.0.5), eth1 (10.1.0.5). */
class NetworkChoiceTest {

    @TempDir
    Path root;

    private String chosen(TestInstallation installation, String... flags) {
        var all = new java.util.ArrayList<>(
                List.of("--tp", "2", "--nnodes", "2", "--node-rank", "1", "--dist-init-addr", "node-0:1",
                        "--unit-secret", TestInstallation.SECRET));
        all.addAll(List.of(flags));
        var topology = installation.flags(all.toArray(String[]::new)).topology();
        return topology.commInterface() + " " + topology.commAddress() + " by " + topology.commSource();
    }

    private TestInstallation installation() {
        return new TestInstallation(root);
    }

    @Test
    void theFirstCardThatIsNeitherLoopbackNorOfContainersIsTakenWhenNothingElseIsKnown() {
        assertThat(chosen(installation())).isEqualTo("eth0 10.0.0.5 by the first interface of its own");
    }

    @Test
    void theCardTowardsNode0WinsOverTheFirst() {
        assertThat(chosen(installation().route("node-0", "10.1.0.5"))).isEqualTo("eth1 10.1.0.5 by the way to node-0:1");
    }

    @Test
    void aRouteOverLoopbackIsNotTaken() {
        assertThat(chosen(installation().route("node-0", "127.0.0.1"))).startsWith("eth0 ");
    }

    @Test
    void theFlagWinsOverEverything() {
        assertThat(chosen(installation().variables("COMM_IFNAME=eth0", "RANK_IP=10.0.0.5"), "--comm-ifname", "eth1"))
                .isEqualTo("eth1 10.1.0.5 by --comm-ifname");
    }

    @Test
    void thePlatformsInterfaceWinsOverNcclsAndItsAddress() {
        assertThat(chosen(installation().variables("COMM_IFNAME=eth1", "NCCL_SOCKET_IFNAME=eth0", "RANK_IP=10.0.0.5")))
                .isEqualTo("eth1 10.1.0.5 by COMM_IFNAME");
    }

    @Test
    void ncclsVariableMayBeAPrefixAnExactNameOrAnExclusion() {
        assertThat(chosen(installation().variables("NCCL_SOCKET_IFNAME=eth"))).startsWith("eth0 ");
        assertThat(chosen(installation().variables("NCCL_SOCKET_IFNAME==eth1"))).startsWith("eth1 ");
        assertThat(chosen(installation().variables("NCCL_SOCKET_IFNAME=^docker,eth0"))).startsWith("eth1 ");
        assertThat(chosen(installation().variables("GLOO_SOCKET_IFNAME=ib0,eth1")))
                .isEqualTo("eth1 10.1.0.5 by NCCL_SOCKET_IFNAME".replace("NCCL", "GLOO"));
    }

    @Test
    void anAddressNamesItsCard() {
        assertThat(chosen(installation().variables("RANK_IP=fd00::5"))).isEqualTo("eth0 fd00::5 by RANK_IP");
    }

    @Test
    void twoNodesOnOneMachineMayMeetOverLoopbackWhenTheAddressSaysSo() {
        var topology = installation().route("127.0.0.1", "127.0.0.1")
                .flags("--tp", "2", "--nnodes", "2", "--node-rank", "1", "--dist-init-addr",
                        "127.0.0.1:5000", "--unit-secret", TestInstallation.SECRET)
                .topology();
        assertThat(topology.commAddress()).isEqualTo("127.0.0.1");
    }
}
