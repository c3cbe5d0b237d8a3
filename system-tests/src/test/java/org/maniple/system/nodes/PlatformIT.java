package org.maniple.system.nodes;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.maniple.system.UnitProcess;

/** Units whose nodes and ranks are placed by what a platform puts into the environment: the same command everywhere. */
class PlatformIT {

    private static final Duration END = Duration.ofSeconds(60);

    @TempDir
    Path folder;

    private TwoNodes nodes;

    @BeforeEach
    void build() {
        nodes = new TwoNodes(folder, 2);
    }

    @AfterEach
    void end() {
        nodes.close();
    }

    @Test
    void rankIdAndItsCompanionsPlaceNodesThatServeAndEndTogether() {
        List<String> launch = nodes.command("launch", nodes.unit(2, 1, "nnodes: 2"));
        UnitProcess first = nodes.start(nodes.machines.first, launch,
                Map.of("RANK_ID", "0", "MASTER_ADDRESS", "10.77.1.1", "RANK_IP",
                        "10.77.1.1", "COMM_IFNAME", "eth0"));
        UnitProcess second = nodes.start(nodes.machines.second, launch,
                Map.of("RANK_ID", "1", "MASTER_ADDRESS", "10.77.1.1", "RANK_IP",
                        "10.77.1.2", "COMM_IFNAME", "eth0"));

        nodes.awaitReady(first);
        nodes.assertServesTheOraclesTokens();
        assertThat(second.output().lines()).contains("platform: RANK_ID", "node 1 of 2 (RANK_ID), ranks 1 to 1",
                "ranks meet at 10.77.1.1:29501 (MASTER_ADDRESS)", "reached by the others at 10.77.1.2 on eth0 (COMM_IFNAME)");

        first.terminate();
        assertThat(second.exitCode(END)).as(second.output().text()).isZero();
        assertThat(first.exitCode(END)).as("ended by SIGTERM").isZero();
    }

    @Test
    void leaderWorkerSetPlacesPodsByTheNameOfTheLeader() {
        List<String> launch = nodes.command("launch", nodes.unit(2, 1));
        var first = nodes.start(nodes.machines.first, launch,
                Map.of("LWS_LEADER_ADDRESS", "n0", "LWS_GROUP_SIZE", "2", "LWS_WORKER_INDEX", "0"));
        var second = nodes.start(nodes.machines.second, launch,
                Map.of("LWS_LEADER_ADDRESS", "n0", "LWS_GROUP_SIZE", "2", "LWS_WORKER_INDEX", "1"));

        nodes.awaitReady(first);
        nodes.assertServesTheOraclesTokens();
        assertThat(second.output().lines()).contains("platform: LeaderWorkerSet", "node 1 of 2 (LWS_WORKER_INDEX), ranks 1 to 1",
                "ranks meet at n0:29501 (LWS_LEADER_ADDRESS)");
    }

    /** The example for sbatch, with an srun that runs one task on each machine as SLURM does, with the variables of a task. */
    @Test
    void theExampleForSlurmPlacesTasksWithoutAnyFlag() throws IOException {
        Path srun = nodes.file("srun",
                """
                        #!/bin/sh
                        while [ "${1#--}" != "$1" ]; do shift; done
                        for task in 0 1; do
                            SLURM_NODEID=$task SLURM_PROCID=$task SLURM_LOCALID=0 SLURM_NTASKS=2 SLURM_NNODES=2 SLURM_JOB_NODELIST='n[0-1]' \\
                                ip netns exec "$MACHINES-$task" unshare --uts sh -c 'hostname "$0" && exec "$@"' n$task "$@" 2>&1 | sed -u "s/^/$task: /" &
                        done
                        wait
                        """);
        assertThat(srun.toFile().setExecutable(true)).isTrue();
        String machines = nodes.machines.first.namespace().replaceFirst("-0$", "");
        Path example = Path.of(System.getProperty("maniple.top", ".."), "examples", "slurm", "unit.sbatch").toRealPath();

        UnitProcess job = UnitProcess.start(List.of("sh", example.toString(), nodes.unit(2, 1), "secret"),
                Map.of("PATH", folder + ":" + System.getenv("PATH"), "MACHINES", machines, "MANIPLE",
                        nodes.distribution.command(List.of()).getFirst()),
                folder, "sbatch");
        try {
            job.await(Pattern.compile("(?m)^0: ready: demo at "), UnitProcess.START);
            nodes.assertServesTheOraclesTokens();
            assertThat(job.output().lines()).contains("1: platform: SLURM", "1: node 1 of 2 (SLURM_NODEID), ranks 1 to 1",
                    "1: ranks meet at n0:29501 (SLURM_JOB_NODELIST)");
        } finally {
            // As scancel does, which reaches all tasks.
            job.processes().forEach(ProcessHandle::destroy);
            job.close();
        }
    }

    @Test
    void processesThatTorchrunStartsAreRanksAndOneThatDiesEndsThemAll() {
        List<String> command = nodes.command("rank", nodes.unit(2, 2, "fault-linger: 4s"));
        var ranks = new ArrayList<UnitProcess>();
        for (int rank = 0; rank < 4; rank++) {
            ranks.add(nodes.start(rank < 2 ? nodes.machines.first : nodes.machines.second, command, torchrun(rank)));
        }

        nodes.awaitReady(ranks.getFirst());
        nodes.assertServesTheOraclesTokens();
        assertThat(ranks.get(3).output().lines()).contains("platform: torchrun", "node 1 of 2 (RANK), ranks 2 to 3",
                "ranks meet at 10.77.1.1:29501 (MASTER_ADDR)");

        ranks.get(3).launcher().destroyForcibly();
        ranks.getFirst().await(Pattern.compile("the unit has failed: rank 3 on n1 .*"), Duration.ofSeconds(10));
        Tool.Result health = nodes.machines.first.ask(nodes.url("/health"), "");
        assertThat(health.text()).startsWith("503\n");
        for (UnitProcess rank : ranks.subList(0, 3)) {
            assertThat(rank.exitCode(END)).as(rank.output().text()).isEqualTo(1);
        }
    }

    private static Map<String, String> torchrun(int rank) {
        var variables = new HashMap<String, String>();
        variables.put("RANK", "" + rank);
        variables.put("WORLD_SIZE", "4");
        variables.put("LOCAL_RANK", "" + rank % 2);
        variables.put("LOCAL_WORLD_SIZE", "2");
        variables.put("MASTER_ADDR", "10.77.1.1");
        variables.put("MASTER_PORT", "29501");
        return variables;
    }
}
