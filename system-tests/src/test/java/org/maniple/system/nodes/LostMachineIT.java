package org.maniple.system.nodes;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.system.UnitProcess;
import tools.jackson.databind.json.JsonMapper;

/**
 * How soon a unit on two machines notices that one of them is off the network, or that a rank is stopped that only its own machine can see, while it
 * computes and while it has nothing to do. With {@code -Dmaniple.units=all} at 50 and 10 random points, and then within 1.5 s; otherwise the first
 * once, and the machine may be slow.
 */
@Timeout(300)
class LostMachineIT {

    private static final boolean ALL = "all".equals(System.getProperty("maniple.units"));
    private static final Duration NOTICE = ALL ? Duration.ofMillis(1_500) : Duration.ofSeconds(30);
    private static final String OPERATION = "[a-z_]+#\\d+ of group \\d+";
    private static final JsonMapper JSON = new JsonMapper();

    @TempDir
    Path folder;

    private TwoNodes nodes;
    private final List<UnitProcess> units = new ArrayList<>();
    private final List<Thread> clients = new ArrayList<>();

    @AfterEach
    void end() throws InterruptedException {
        if (nodes != null) {
            nodes.close();
        }
        for (Thread client : clients) {
            client.join();
        }
    }

    record Fault(boolean busy, int node, long afterMillis) {}

    static Stream<Fault> cuts() {
        var random = new SplittableRandom(9);
        return ALL
                ? IntStream.range(0, 50).mapToObj(i -> new Fault(i % 2 == 0, random.nextInt(2), random.nextInt(500)))
                : Stream.of(new Fault(true, 1, 40));
    }

    static Stream<Fault> stops() {
        var random = new SplittableRandom(11);
        return ALL
                ? IntStream.range(0, 10).mapToObj(i -> new Fault(i % 2 == 0, random.nextInt(2), random.nextInt(500)))
                : Stream.of();
    }

    @ParameterizedTest
    @MethodSource("cuts")
    void aMachineThatIsOffTheNetworkIsNoticedInTimeOnBothSides(Fault fault) {
        begin(fault);
        Machine cut = fault.node() == 0 ? nodes.machines.first : nodes.machines.second;

        long start = System.nanoTime();
        cut.cutOff();
        assertReports(fault, start, "rank 1 on n1 is gone: rank 1 \\(10\\.77\\.1\\.2:\\d+\\) is cut off: .*",
                "rank 0 on n0 is gone: rank 0 \\(10\\.77\\.1\\.1:\\d+\\) is cut off: .*");
        assertThat(cut.isCutOff()).as("the fault has taken effect").isTrue();
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("stops")
    void aStoppedRankIsEndedByItsOwnMachineSoThatTheOtherOneNotices(Fault fault) throws Exception {
        begin(fault);
        ProcessHandle rank = rank(units.get(fault.node()));

        long start = System.nanoTime();
        assertThat(new ProcessBuilder("kill", "-STOP", Long.toString(rank.pid())).start().waitFor()).isZero();
        awaitStopped(rank);
        if (fault.node() == 0) {
            assertReport(fault, start, units.get(1),
                    "rank 0 on n0 is gone: rank 0 \\(10\\.77\\.1\\.1:\\d+\\) closed the connection.*");
        } else {
            assertReport(fault, start, units.get(0), "rank 1 on n1 is gone: rank 1 \\(10\\.77\\.1\\.2:\\d+\\) .*");
        }
        units.get(fault.node()).await(Pattern.compile("rank " + fault.node() + " \\(process \\d+\\) is stopped: .*; ending it"),
                UnitProcess.END);
        assertThat(units.stream().map(unit -> unit.exitCode(UnitProcess.END))).containsExactly(1, 1);
    }

    private void begin(Fault fault) {
        nodes = new TwoNodes(folder, 1);
        String file = nodes.unit(2, 1, "fault-linger: 1s", "threads: 1");
        units.add(nodes.launchUnseen(nodes.machines.first, file, "0"));
        units.add(nodes.launchUnseen(nodes.machines.second, file, "1"));
        nodes.awaitReady(units.getFirst());
        if (fault.busy()) {
            compute();
        }
        LockSupport.parkNanos(Duration.ofMillis(fault.afterMillis()).toNanos());
    }

    /** From now on some requests go on for long. */
    private void compute() {
        String body = JSON
                .writeValueAsString(Map.of("prompt", List.of(0, 45, 407, 84), "max_tokens", 2000, "temperature", 0, "n", 8,
                        "seed", 1, "ignore_eos", true));
        clients.add(Thread.ofPlatform().start(() -> nodes.machines.first.ask(nodes.url("/v1/completions"), body)));
        Pattern running = Pattern.compile("\"running\":[1-9]");
        boolean computes = false;
        for (int i = 0; i < 100 && !computes; i++) {
            computes = running.matcher(nodes.machines.first.ask(nodes.url("/v1/cluster"), "").text()).find();
        }
        assertThat(computes).as("requests run").isTrue();
    }

    private void assertReports(Fault fault, long start, String first, String second) {
        assertReport(fault, start, units.get(0), first + (fault.busy() ? OPERATION + ".*" : ""));
        assertReport(fault, start, units.get(1), second);
        assertThat(units.stream().map(unit -> unit.exitCode(UnitProcess.END))).containsExactly(1, 1);
    }

    private static void assertReport(Fault fault, long start, UnitProcess unit, String failure) {
        String report = unit.await(Pattern.compile("the unit has failed: " + failure + "\n"), NOTICE).group();
        long millis = (System.nanoTime() - start) / 1_000_000;
        System.out.println(fault + " noticed after " + millis + " ms: " + report.strip());
        assertThat(millis).isLessThanOrEqualTo(NOTICE.toMillis());
    }

    /** The process that {@code launch} has started. */
    private static ProcessHandle rank(UnitProcess unit) {
        return unit.processes().stream()
                .filter(process -> isJava(process) && process.parent().filter(LostMachineIT::isJava).isPresent()).findFirst()
                .orElseThrow(() -> unit.failure("has no rank"));
    }

    private static boolean isJava(ProcessHandle process) {
        return process.info().command().orElse("").endsWith("/java");
    }

    /** The system needs a moment to stop the threads of a process. */
    private static void awaitStopped(ProcessHandle process) throws IOException {
        char state = state(process);
        for (int i = 0; i < 10_000 && state != 'T'; i++) {
            LockSupport.parkNanos(Duration.ofMillis(1).toNanos());
            state = state(process);
        }
        assertThat(state).as("the fault has taken effect").isEqualTo('T');
    }

    private static char state(ProcessHandle process) throws IOException {
        String line = Files.readString(Path.of("/proc", Long.toString(process.pid()), "stat"), StandardCharsets.ISO_8859_1);
        return line.charAt(line.lastIndexOf(')') + 2);
    }
}
