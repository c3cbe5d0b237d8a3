package org.maniple.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * How soon a unit on one host notices that the process of a rank is killed or stopped, while it computes and while it has nothing to do. With {@code
 * -Dmaniple.units=all} at 50 random points each over TCP, and then within 1.5 s; otherwise the machine may be slow.
 */
@Timeout(300)
class LostRankIT {

    private static final Duration NOTICE = OracleUnits.all() ? Duration.ofMillis(1_500) : Duration.ofSeconds(30);
    private static final int RANKS = 3;

    private final Distribution distribution = Distribution.find();

    @TempDir
    private Path folder;

    /** What happens to a rank some time after the unit is ready, or after its clients have got their first tokens. */
    record Fault(String transport, String signal, boolean busy, int rank, long afterMillis) {}

    static Stream<Fault> faults() {
        var random = new SplittableRandom(7);
        return OracleUnits.all()
                // Over shared memory alone, the tests of transport-shm have as many.
                ? Stream.of("tcp", "auto").flatMap(transport -> Stream.of("STOP", "KILL")
                        .flatMap(signal -> IntStream.range(0, transport.equals("tcp") ? 50 : 10)
                                .mapToObj(i -> new Fault(transport, signal, i % 2 == 0, random.nextInt(RANKS),
                                        random.nextInt(500)))))
                : Stream.of(new Fault("tcp", "STOP", false, 1, 0));
    }

    @ParameterizedTest
    @MethodSource("faults")
    void aRankThatIsKilledOrStoppedIsNoticedInTimeAndNamedWithWhatItOwes(Fault fault) throws Exception {
        Set<String> shared = sharedMemory();
        try (UnitProcess unit = UnitProcess.ready(distribution, spec(fault.transport()), folder)) {
            if (fault.busy()) {
                decode(unit.api());
            }
            ProcessHandle victim = unit.rank(fault.rank());
            LockSupport.parkNanos(Duration.ofMillis(fault.afterMillis()).toNanos());

            long begin = System.nanoTime();
            assertThat(new ProcessBuilder("kill", "-" + fault.signal(), Long.toString(victim.pid())).start().waitFor()).isZero();
            awaitEffect(fault.signal(), victim);
            // Rank 0 has the terminal to itself.
            String reporter = fault.rank() == 0 ? "\\[rank [12]] " : "";
            String report = unit.await(
                    Pattern.compile("(?m)^" + reporter + "the unit has failed: rank " + fault.rank() + " on \\S+ .*\n"), NOTICE)
                    .group();
            long millis = (System.nanoTime() - begin) / 1_000_000;

            System.out.println(fault + " noticed after " + millis + " ms: " + report.strip());
            assertThat(millis).isLessThanOrEqualTo(NOTICE.toMillis());
            assertThat(report)
                    .containsPattern(fault.signal().equals("STOP") ? "is stopped: its process has been in state T" : "is gone: ");
            if (fault.busy()) {
                assertThat(report).containsPattern("[a-z_]+#\\d+ of group \\d+");
            }
            assertThat(unit.exitCode(UnitProcess.END)).isEqualTo(1);
        }
        assertThat(sharedMemory()).isEqualTo(shared);
    }

    /** Three stages: each rank has others that it exchanges nothing with. */
    private UnitSpec spec(String transport) {
        Path model = ModelFolder.changed(distribution.demoModel(), folder, Map.of("max_position_embeddings", 16384));
        return UnitSpec.of(model).with("served-model-name", "demo").with("skip-tokenizer-init", true).with("transport", transport)
                .with("pipeline-parallel-size", RANKS).with("kv-cache-memory-bytes", "64MiB").with("fault-linger", "1s");
    }

    /** Streams that go on for long, of which some tokens have come. */
    private static void decode(Api api) {
        for (int i = 0; i < 3; i++) {
            api.stream("/v1/completions", Map.of("prompt", List.of(0, 45, 407, 84 + i), "max_tokens", 12000, "ignore_eos", true,
                    "return_token_ids", true, "temperature", 0, "stream", true)).awaitEvents(3);
        }
    }

    /** The system needs a moment to stop the threads of a process. */
    private static void awaitEffect(String signal, ProcessHandle process) {
        String wanted = signal.equals("STOP") ? "T" : "Z|gone";
        String state = state(process);
        for (int i = 0; i < 10_000 && !state.matches(wanted); i++) {
            LockSupport.parkNanos(Duration.ofMillis(1).toNanos());
            state = state(process);
        }
        assertThat(state).as("the fault has taken effect").matches(wanted);
    }

    private static String state(ProcessHandle process) {
        try {
            String line = Files.readString(Path.of("/proc", Long.toString(process.pid()), "stat"), StandardCharsets.ISO_8859_1);
            return line.substring(line.lastIndexOf(')') + 2, line.lastIndexOf(')') + 3);
        } catch (IOException e) {
            return "gone";
        }
    }

    private static Set<String> sharedMemory() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("/dev/shm"))) {
            return files.map(file -> file.getFileName().toString()).collect(Collectors.toSet());
        }
    }
}
