package org.maniple.transport.rdma;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.api.transport.ProcessState;

/**
 * What ranks notice of one whose process is killed or stopped while they exchange data. With {@code -Dmaniple.units=all} at 50 random points
 * each, and then within 1.5 s; otherwise the machine may be slow.
 */
@Timeout(900)
class LostProcessTest {

    private static final boolean ALL = System.getProperty("maniple.units", "").equals("all");
    private static final long NOTICE_MILLIS = ALL ? 1_500 : 30_000;
    private static final int RANKS = 3;

    record Fault(String transports, String signal, int victim, long afterMillis) {}

    static Stream<Fault> faults() {
        var random = new SplittableRandom(77);
        return ALL
                ? IntStream.range(0, 50).boxed()
                        .flatMap(i -> Stream.of("tcp", "posix,cma").flatMap(transports -> Stream.of("KILL", "STOP")
                                .map(signal -> new Fault(transports, signal, random.nextInt(RANKS), random.nextInt(60)))))
                : Stream.of(new Fault("tcp", "STOP", 1, 24), new Fault("posix,cma", "KILL", 2, 38));
    }

    @ParameterizedTest
    @MethodSource("faults")
    void aLostProcessIsNamedWithWhatItOwesAndLeavesNothingBehind(Fault fault) throws Exception {
        List<Process> processes = new ArrayList<>();
        List<BufferedReader> outputs = new ArrayList<>();
        try {
            Backends.library();
            start(fault.transports(), processes, outputs);
            for (BufferedReader output : outputs) {
                assertThat(output.readLine()).isEqualTo(RankProgram.RUNNING);
            }
            Thread.sleep(fault.afterMillis());
            Process victim = processes.get(fault.victim());
            long begin = System.nanoTime();
            signal(fault.signal(), victim.pid());

            for (int rank = 0; rank < RANKS; rank++) {
                if (rank != fault.victim()) {
                    assertThatItNotices(outputs.get(rank).readLine(), fault, begin);
                    assertThat(processes.get(rank).waitFor(30, TimeUnit.SECONDS)).isTrue();
                }
            }
            assertThat(fault.signal().equals("STOP") ? stopped(victim.pid()) : victim.waitFor(30, TimeUnit.SECONDS))
                    .as("the fault has taken effect").isTrue();
            try (Stream<Path> files = Files.list(Path.of("/dev/shm"))) {
                assertThat(files.map(file -> file.getFileName().toString())).noneMatch(name -> name.startsWith("ucx_shm"));
            }
        } finally {
            processes.forEach(Process::destroyForcibly);
        }
    }

    private static void assertThatItNotices(String line, Fault fault, long begin) {
        assertThat(line).startsWith(RankProgram.FAILED);
        String[] parts = line.split(" ", 3);
        long millis = (Long.parseLong(parts[1]) - begin) / 1_000_000;
        // Either the lost rank itself, or one that has noticed it before and gone.
        assertThat(parts[2]).containsPattern("rank \\d \\(process \\d+\\) (has ended|is stopped|closed the connection)")
                .containsPattern("it has not (sent|taken) transfer#\\d+ of group 7 with \\d+ bytes");
        assertThat(millis).as("milliseconds after " + fault).isBetween(0L, NOTICE_MILLIS);
    }

    private static void start(String transports, List<Process> processes, List<BufferedReader> outputs) throws IOException {
        var addresses = new ArrayList<String>();
        for (int rank = 0; rank < RANKS; rank++) {
            Process process = ChildJvm.start(RankProgram.class, Map.of(), List.of("-XX:TieredStopAtLevel=1"),
                    Integer.toString(rank),
                    Integer.toString(RANKS), transports);
            processes.add(process);
            outputs.add(process.inputReader(StandardCharsets.UTF_8));
        }
        for (BufferedReader output : outputs) {
            addresses.add(output.readLine());
        }
        for (Process process : processes) {
            process.outputWriter(StandardCharsets.UTF_8).append(String.join(" ", addresses)).append('\n').flush();
        }
    }

    private static void signal(String name, long process) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("kill", "-" + name, Long.toString(process)).start().waitFor()).isZero();
    }

    private static boolean stopped(long process) {
        return ProcessState.of(process).orElseThrow().stopped();
    }
}
