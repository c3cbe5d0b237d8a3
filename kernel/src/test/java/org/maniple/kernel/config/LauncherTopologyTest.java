package org.maniple.kernel.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a process of a unit of TP 2 × PP 2 on two nodes learns from each kind of launcher, without a flag about its place. */
class LauncherTopologyTest {

    private static final List<String> SIZES = List.of("--tp", "2", "--pp", "2", "--unit-secret", TestInstallation.SECRET);

    @TempDir
    Path root;

    private TestInstallation installation(String... variables) {
        return new TestInstallation(root).route("node-0", "10.0.0.5").variables(variables);
    }

    private static Topology node(TestInstallation installation, String... more) {
        return installation.flags(with(more)).topology();
    }

    private static Topology rank(TestInstallation installation, String... more) {
        return installation.rank(with(more)).topology();
    }

    private static String[] with(String... more) {
        var all = new java.util.ArrayList<>(SIZES);
        all.addAll(List.of(more));
        return all.toArray(String[]::new);
    }

    private static void assertSecondNode(Topology topology, String platform, String nodeSource, String rendezvous,
            String rendezvousSource) {
        assertThat(topology.platform()).isEqualTo(platform);
        assertThat(topology.nodes()).isEqualTo(2);
        assertThat(topology.node()).isEqualTo(1);
        assertThat(topology.nodeSource()).isEqualTo(nodeSource);
        assertThat(topology.firstRank()).isEqualTo(2);
        assertThat(topology.ranksHere()).isEqualTo(2);
        assertThat(topology.rendezvous()).hasToString(rendezvous);
        assertThat(topology.rendezvousSource()).isEqualTo(rendezvousSource);
        assertThat(topology.commInterface()).isEqualTo("eth0");
        assertThat(topology.commAddress()).isEqualTo("10.0.0.5");
    }

    @Test
    void leaderWorkerSet() {
        var topology = node(installation("LWS_LEADER_ADDRESS=node-0", "LWS_GROUP_SIZE=2", "LWS_WORKER_INDEX=1"));
        assertSecondNode(topology, "LeaderWorkerSet", "LWS_WORKER_INDEX", "node-0:29501", "LWS_LEADER_ADDRESS");
    }

    @Test
    void rankIdOfAPlatformOfInstances() {
        var topology = node(installation("RANK_ID=1", "MASTER_ADDRESS=node-0", "RANK_IP=10.0.0.5", "COMM_IFNAME=eth0"),
                "--nnodes", "2");
        assertSecondNode(topology, "RANK_ID", "RANK_ID", "node-0:29501", "MASTER_ADDRESS");
        assertThat(topology.commSource()).isEqualTo("COMM_IFNAME");
    }

    @Test
    void torchrunWithOneProcessForEachNode() {
        var topology = node(installation("RANK=1", "WORLD_SIZE=2", "LOCAL_RANK=0", "LOCAL_WORLD_SIZE=1", "MASTER_ADDR=node-0",
                "MASTER_PORT=1234"));
        assertSecondNode(topology, "torchrun", "RANK", "node-0:1234", "MASTER_ADDR");
    }

    @Test
    void torchrunWithOneProcessForEachRank() {
        var topology = rank(installation("RANK=3", "WORLD_SIZE=4", "LOCAL_RANK=1", "LOCAL_WORLD_SIZE=2", "MASTER_ADDR=node-0",
                "MASTER_PORT=1234"));
        assertSecondNode(topology, "torchrun", "RANK", "node-0:1234", "MASTER_ADDR");
        assertThat(topology.rank()).hasValue(3);
    }

    @Test
    void slurmWithOneTaskForEachNode() {
        var topology = node(
                installation("SLURM_NODEID=1", "SLURM_NNODES=2", "SLURM_PROCID=1", "SLURM_NTASKS=2", "SLURM_LOCALID=0",
                        "SLURM_JOB_NODELIST=node-[0-1]"));
        assertSecondNode(topology, "SLURM", "SLURM_NODEID", "node-0:29501", "SLURM_JOB_NODELIST");
    }

    @Test
    void slurmWithOneTaskForEachRank() {
        var topology = rank(
                installation("SLURM_NODEID=1", "SLURM_NNODES=2", "SLURM_PROCID=2", "SLURM_NTASKS=4", "SLURM_LOCALID=0",
                        "SLURM_NODELIST=node-[0-1]"));
        assertSecondNode(topology, "SLURM", "SLURM_NODEID", "node-0:29501", "SLURM_NODELIST");
        assertThat(topology.rank()).hasValue(2);
    }

    @Test
    void statefulSet() {
        var topology = node(installation("POD_INDEX=1"), "--nnodes", "2", "--dist-init-addr", "node-0:5000");
        assertSecondNode(topology, "StatefulSet", "POD_INDEX", "node-0:5000", "--dist-init-addr");
    }

    @Test
    void flagsAlone() {
        var topology = node(installation(), "--nnodes", "2", "--node-rank", "1", "--master-addr", "node-0", "--master-port",
                "5000");
        assertSecondNode(topology, "none", "--node-rank", "node-0:5000", "--master-addr");
    }

    @Test
    void theFirstPlatformInTheOrderOfPrecedenceCounts() {
        var topology = node(
                installation("POD_INDEX=0", "SLURM_NODEID=0", "SLURM_NNODES=2", "RANK=0", "WORLD_SIZE=2", "RANK_ID=1"),
                "--nnodes", "2", "--dist-init-addr", "node-0:5000");
        assertSecondNode(topology, "RANK_ID", "RANK_ID", "node-0:5000", "--dist-init-addr");
    }

    @Test
    void aRankThatLaunchStartedIsNumberedByLaunchAlthoughSlurmNumbersTheLaunches() {
        var topology = rank(
                installation("SLURM_NODEID=1", "SLURM_NNODES=2", "SLURM_PROCID=1", "SLURM_NTASKS=2", "SLURM_LOCALID=0",
                        "SLURM_JOB_NODELIST=node-[0-1]"),
                "--local-rank", "1");
        assertThat(topology.rank()).hasValue(3);
    }

    @Test
    void aRankWithoutAnythingThatNumbersItIsAMistake() {
        var failure = org.assertj.core.api.Assertions.catchThrowableOfType(ConfigurationException.class,
                () -> rank(installation()));
        assertThat(failure.problems())
                .containsExactly("local-rank: this node has 4 ranks and nothing says which of them this process is; give"
                        + " --local-rank 0 to 3, or let maniple launch start them");
    }

    @Test
    void processesThatAPlatformStartsMustBeAsManyAsTheMeshHas() {
        var failure = org.assertj.core.api.Assertions.catchThrowableOfType(ConfigurationException.class,
                () -> rank(installation("RANK=0", "WORLD_SIZE=3", "MASTER_ADDR=node-0")));
        assertThat(failure.problems()).contains(
                "WORLD_SIZE: torchrun starts [3] ranks, but the mesh pp 2 × tp 2 has 4 ranks; make the two numbers equal");
    }

    @Test
    void oneNodeNeedsNoAddress() {
        var topology = node(installation());
        assertThat(topology.rendezvous()).isEqualTo(new HostPort("127.0.0.1", 0));
        assertThat(topology.commAddress()).isEqualTo("127.0.0.1");
        assertThat(topology.ranksPerNode()).containsExactly(4);
    }

    @Test
    void nodesMayHaveDifferentNumbersOfRanks() {
        var topology = node(installation(), "--nnodes", "2", "--node-rank", "1", "--dist-init-addr", "node-0", "--ranks-per-node",
                "3,1");
        assertThat(topology.firstRank()).isEqualTo(3);
        assertThat(topology.nodeOf(2)).isZero();
        assertThat(topology.nodeOf(3)).isEqualTo(1);
    }
}
