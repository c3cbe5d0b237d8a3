package org.maniple.transport.shm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.api.ManipleException;
import org.maniple.api.transport.ProcessState;
import org.maniple.testkit.GivenContext;

/**
 * What ranks notice of one whose process is killed or stopped while they exchange data. With {@code -Dmaniple.units=all} at 50 random points
 * each, and then within 1.5 s; otherwise the machine may be slow.
 */
@Timeout(900)
class LostProcessTest {

    private static final boolean ALL = System.getProperty("maniple.units", "").equals("all");
    private static final long NOTICE_MILLIS = ALL ? 1_500 : 30_000;
    private static final int RANKS = 3;

    record Fault(String signal, int victim, long afterMillis) {}

    static Stream<Fault> faults() {
        var random = new SplittableRandom(77);
        return IntStream.range(0, ALL ? 50 : 1).boxed()
                .flatMap(i -> Stream.of("KILL", "STOP")
                        .map(signal -> new Fault(signal, random.nextInt(RANKS), random.nextInt(60))));
    }

    @ParameterizedTest
    @MethodSource("faults")
    void aLostProcessIsNamedWithWhatItOwesAndLeavesNothingBehind(Fault fault) throws Exception {
        List<Process> processes = new ArrayList<>();
        List<BufferedReader> outputs = new ArrayList<>();
        try {
            start(processes, outputs);
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
                assertThat(files.map(file -> file.getFileName().toString())).noneMatch(name -> name.contains("maniple"));
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
                .containsPattern(
                        "it has not (come to all_reduce#\\d+ of group 7|sent transfer#\\d+ of group 7|taken transfer#\\d+ of group 7)"
                                + " with \\d+ bytes");
        assertThat(millis).as("milliseconds after " + fault).isBetween(0L, NOTICE_MILLIS);
    }

    private static void start(List<Process> processes, List<BufferedReader> outputs) throws IOException {
        var addresses = new ArrayList<String>();
        for (int rank = 0; rank < RANKS; rank++) {
            Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx64m",
                    "-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED", "-cp",
                    String.join(File.pathSeparator, root(ShmTransport.class), root(RankProgram.class),
                            root(ManipleException.class),
                            root(GivenContext.class)),
                    RankProgram.class.getName(), Integer.toString(rank), Integer.toString(RANKS))
                    .redirectError(ProcessBuilder.Redirect.INHERIT).start();
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

    /** Where the classes of a module are. */
    private static String root(Class<?> type) {
        try {
            var source = type.getProtectionDomain().getCodeSource();
            if (source != null && source.getLocation() != null && !type.equals(RankProgram.class)) {
                return Path.of(source.getLocation().toURI()).toString();
            }
            Path file = Path.of(new URI(type.getResource(type.getSimpleName() + ".class").toString()));
            return file.getRoot().resolve(file.subpath(0, file.getNameCount() - type.getName().split("\\.").length)).toString();
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void signal(String name, long process) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("kill", "-" + name, Long.toString(process)).start().waitFor()).isZero();
    }

    private static boolean stopped(long process) {
        return ProcessState.of(process).orElseThrow().stopped();
    }
}
