package org.maniple.system.nodes;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.maniple.system.UnitProcess;

/** One unit of four ranks, tensor parallel on each of two machines and pipeline parallel between them, behind firewalls. */
class TwoMachinesIT {

    private static final Duration NOTICE = Duration.ofSeconds(40);

    private static TwoNodes nodes;
    private static UnitProcess first;
    private static UnitProcess second;
    private static String notice;
    private static Set<String> listeningBefore;
    private static String healthBefore;
    private static long stoppedBefore;

    @BeforeAll
    static void startTheSecondNodeOnlyWhenTheFirstWaitsForIt(@TempDir Path folder) {
        nodes = new TwoNodes(folder, 2);
        Tool.Result probe = nodes.machines.second.ask("http://" + nodes.machines.first.address() + ":" + (Machine.UNIT_PORT + 2),
                "");
        assertThat(probe.code()).as(probe.text()).isEqualTo(Ask.NOBODY);
        stoppedBefore = nodes.machines.first.dropped();

        String file = nodes.unit(2, 2, "health-port: 8001");
        first = nodes.launch(nodes.machines.first, file, "0");
        notice = first.await(Pattern.compile("still waiting for ranks .*"), NOTICE).group();
        listeningBefore = nodes.machines.first.listening();
        healthBefore = nodes.machines.first.ask("http://10.77.1.1:8001/ready", "").text();
        second = nodes.launch(nodes.machines.second, file, "1");
        nodes.awaitReady(first);
    }

    @AfterAll
    static void end() {
        if (nodes != null) {
            nodes.close();
        }
    }

    @Test
    void theFirewallWorksAndTheUnitNeedsNoOtherPort() {
        assertThat(stoppedBefore).as("packets of a probe to a port that is not documented").isPositive();
        assertThat(nodes.machines.first.opened()).as("connections to the documented ports of n0").isPositive();
        assertThat(nodes.machines.first.dropped()).as("packets to other ports of n0").isEqualTo(stoppedBefore);
        assertThat(nodes.machines.second.dropped()).as("packets to other ports of n1").isZero();
    }

    @Test
    void aClientOnTheOtherMachineGetsTheOraclesTokens() {
        nodes.assertServesTheOraclesTokens();
    }

    @Test
    void whoIsMissingIsSaidWithTheRanksAndTheirNode() {
        assertThat(notice.replaceFirst("\\(\\d+ s of", "(%s of"))
                .isEqualTo("still waiting for ranks [2, 3] (%s of 60 s): rank 2 on node 1, rank 3 on node 1;"
                        + " if this is a StatefulSet, set podManagementPolicy: Parallel");
    }

    @Test
    void theApiPortIsClosedUntilTheUnitIsReady() {
        assertThat(listeningBefore).containsExactly("10.77.1.1:29501", "10.77.1.1:29502", "10.77.1.1:8001");
    }

    @Test
    void ranksListenOnTheChosenAddressAndTheDocumentedPortsOnly() {
        assertThat(nodes.machines.first.listening()).containsExactly("10.77.1.1:29501", "10.77.1.1:29502", "10.77.1.1:8000",
                "10.77.1.1:8001");
        assertThat(nodes.machines.second.listening()).containsExactly("10.77.1.2:29501", "10.77.1.2:29502", "10.77.1.2:8001");
    }

    @Test
    void everyNodeAnswersHealthChecksBeforeAndAfterTheUnitIsReady() {
        assertThat(healthBefore).startsWith("503\n").contains("rank 0 is starting");
        assertThat(nodes.machines.second.ask("http://10.77.1.2:8001/ready", "").text()).startsWith("200\n")
                .contains("\"ready\":true");
        assertThat(nodes.machines.second.ask("http://10.77.1.2:8001/livez", "").text()).startsWith("200\n");
        assertThat(nodes.machines.first.ask("http://10.77.1.1:8000/ready", "").text()).startsWith("200\n");
    }

    @Test
    void theInterfaceTowardsTheFirstNodeIsChosenAmongOthers() {
        assertThat(first.output().lines()).contains("node 0 of 2 (--node-rank), ranks 0 to 1",
                "reached by the others at 10.77.1.1 on eth0 (the way to 10.77.1.1:29501)",
                "rank 0 → 2 via tcp eth0 10.77.1.2");
        assertThat(second.output().lines()).contains("node 1 of 2 (--node-rank), ranks 2 to 3",
                "ranks meet at 10.77.1.1:29501 (--dist-init-addr)",
                "reached by the others at 10.77.1.2 on eth0 (the way to 10.77.1.1:29501)");
    }

    @Test
    void theReadyLineNamesTheAddressAtWhichOthersReachTheApi() {
        assertThat(first.output().lines()).contains("ready: demo at http://10.77.1.1:8000");
        assertThat(second.output().text()).doesNotContain("ready:");
    }
}
