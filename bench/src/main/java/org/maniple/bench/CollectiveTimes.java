package org.maniple.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Times all-reduces between processes on this host: the TCP and shared-memory transports with the collectives that come with Maniple, and beside
 * them, in the same rounds, Open MPI over TCP and shared memory, and Gloo, if they are there. Prints medians over the rounds, and ratios.
 */
public final class CollectiveTimes {

    private static final String DEFAULT_SIZES = "4096,16384,65536,262144,1048576,4194304,16777216";
    private static final String MANIPLE = "maniple ";
    /** Open MPI refuses to run as root, or more ranks than cores, unless told otherwise. */
    private static final List<String> MPI_RUN = List.of("mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none",
            "--mca", "pml", "ob1", "--mca", "btl");

    /** Microseconds of one size. */
    private record Times(double median, double late, double least) {}

    /** Something that all-reduces; gives the times by size. */
    private interface Contender {
        Map<Integer, Times> run() throws IOException, InterruptedException;
    }

    private final int ranks;
    private final List<Integer> sizes;
    private final List<String> work;
    private final Map<String, Contender> contenders = new LinkedHashMap<>();
    private final Map<String, Map<Integer, List<Times>>> results = new LinkedHashMap<>();

    private CollectiveTimes(int ranks, List<Integer> sizes) {
        this.ranks = ranks;
        this.sizes = sizes;
        this.work = sizes.stream().flatMap(size -> Stream.of(size.toString(), Integer.toString(repetitions(size)))).toList();
    }

    /**
     * Runs and prints.
     *
     * @param arguments {@code --transports tcp,shm} (also {@code tcp-integrity}, {@code tcp-encrypt}, {@code rdma}, {@code ucx-tcp}, {@code ucx-shm}), {@code --ranks 2}, {@code --sizes} in bytes with commas in between, {@code --rounds 3}, {@code --python} of an
     *     environment with PyTorch, {@code --mpi no} to leave out Open MPI, {@code --jvm} flags for the processes of Maniple
     * @throws Exception if a process fails
     */
    public static void main(String[] arguments) throws Exception {
        List<Integer> sizes = Stream.of(text(arguments, "--sizes", DEFAULT_SIZES).split(",")).map(Integer::valueOf).toList();
        var times = new CollectiveTimes(Integer.parseInt(text(arguments, "--ranks", "2")), sizes);
        Path directory = Files.createTempDirectory("maniple-bench");
        try {
            List<String> transports = List.of(text(arguments, "--transports", "tcp,shm").split(","));
            for (String transport : transports) {
                times.contenders.put(MANIPLE + transport, () -> times.maniple(transport, text(arguments, "--jvm", "")));
            }
            if (!text(arguments, "--mpi", "yes").equals("no")) {
                times.addMpi(directory, transports);
            }
            String python = text(arguments, "--python", "");
            if (python.isEmpty()) {
                System.out.println("Gloo is left out: --python names no interpreter with PyTorch");
            } else {
                Path script = times.copy("allreduce_gloo.py", directory);
                times.contenders.put("gloo", () -> times.gloo(python, script));
            }
            times.compare(Integer.parseInt(text(arguments, "--rounds", "3")));
        } finally {
            try (Stream<Path> files = Files.list(directory)) {
                files.forEach(CollectiveTimes::delete);
            }
            delete(directory);
        }
    }

    private static void delete(Path file) {
        try {
            Files.delete(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String text(String[] arguments, String flag, String otherwise) {
        int at = List.of(arguments).indexOf(flag);
        return at < 0 ? otherwise : arguments[at + 1];
    }

    /** Enough for medians, within a second or so. */
    private static int repetitions(int bytes) {
        return Math.clamp((64L << 20) / bytes, 20, 3000);
    }

    private void compare(int rounds) throws IOException, InterruptedException {
        for (int round = 1; round <= rounds; round++) {
            for (Map.Entry<String, Contender> contender : contenders.entrySet()) {
                System.out.println("round " + round + " of " + rounds + ": " + contender.getKey());
                contender.getValue().run().forEach((size, times) -> {
                    System.out.printf(Locale.ROOT, "  %d bytes: %.1f µs (p99 %.1f, least %.1f)%n", size, times.median(),
                            times.late(),
                            times.least());
                    results.computeIfAbsent(contender.getKey(), name -> new TreeMap<>())
                            .computeIfAbsent(size, s -> new ArrayList<>())
                            .add(times);
                });
            }
        }
        print(rounds);
    }

    private void print(int rounds) {
        System.out.printf(
                "%nAll-reduce of floats, %d processes on %d processors; µs, medians over %d rounds of median, (p99), [least]; ratios to the same kind of transport, below 1: maniple is faster%n%n",
                ranks, Runtime.getRuntime().availableProcessors(), rounds);
        List<String> others = results.keySet().stream().filter(name -> !name.startsWith(MANIPLE)).toList();
        System.out.println("| bytes | " + String.join(" | ", results.keySet()) + others.stream().map(o -> " | ÷ " + o)
                .reduce("", String::concat) + " |");
        System.out.println("|" + " ---: |".repeat(1 + results.size() + others.size()));
        for (int size : sizes) {
            var line = new StringBuilder("| " + size);
            for (Map<Integer, List<Times>> result : results.values()) {
                List<Times> rows = Objects.requireNonNull(result.get(size));
                line.append(String.format(Locale.ROOT, " | %.1f (%.1f) [%.1f]", median(rows.stream().map(Times::median)),
                        median(rows.stream().map(Times::late)), median(rows.stream().map(Times::least))));
            }
            for (String other : others) {
                List<Times> own = times(results.containsKey(MANIPLE + "shm") && !other.endsWith("tcp") && !other.equals("gloo")
                        ? MANIPLE + "shm"
                        : MANIPLE + "tcp", size);
                List<Times> theirs = times(other, size);
                var ratios = new ArrayList<Double>();
                for (int round = 0; round < rounds; round++) {
                    ratios.add(own.get(round).median() / theirs.get(round).median());
                }
                line.append(String.format(Locale.ROOT, " | %.2f", median(ratios.stream())));
            }
            System.out.println(line + " |");
        }
    }

    private List<Times> times(String contender, int size) {
        return Objects.requireNonNull(Objects.requireNonNull(results.get(contender)).get(size));
    }

    private static double median(Stream<Double> values) {
        double[] sorted = values.mapToDouble(Double::doubleValue).sorted().toArray();
        return sorted[sorted.length / 2];
    }

    private Map<Integer, Times> maniple(String transport, String flags) throws IOException, InterruptedException {
        var processes = new ArrayList<Process>();
        try {
            for (int rank = 0; rank < ranks; rank++) {
                var command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
                        System.getProperty("java.class.path"), "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC",
                        "-Xmx256m"));
                Arrays.stream(flags.split(" ")).filter(flag -> !flag.isBlank()).forEach(command::add);
                command.addAll(
                        List.of(CollectiveRank.class.getName(), transport, Integer.toString(rank), Integer.toString(ranks)));
                command.addAll(work);
                processes.add(started(new ProcessBuilder(command)));
            }
            var outputs = processes.stream().map(CollectiveTimes::output).toList();
            var addresses = new ArrayList<String>();
            for (BufferedReader output : outputs) {
                addresses.add(Objects.requireNonNull(output.readLine(), "a rank has ended without an address"));
            }
            for (Process process : processes) {
                process.outputWriter(StandardCharsets.UTF_8).append(String.join(" ", addresses)).append('\n').flush();
            }
            return ended(processes, outputs.getFirst());
        } finally {
            processes.forEach(Process::destroyForcibly);
        }
    }

    private void addMpi(Path directory, List<String> transports) throws IOException, InterruptedException {
        Path source = copy("allreduce.c", directory);
        Path program = directory.resolve("allreduce");
        try {
            Process compiler = started(new ProcessBuilder("mpicc", "-O2", "-o", program.toString(), source.toString()));
            if (compiler.waitFor() != 0) {
                throw new IOException("mpicc ended with " + compiler.exitValue());
            }
        } catch (IOException e) {
            System.out.println("Open MPI is left out: " + e.getMessage() + " (Debian: openmpi-bin libopenmpi-dev)");
            return;
        }
        if (transports.contains("tcp")) {
            contenders.put("Open MPI tcp", () -> mpi(program, "tcp,self", "--mca", "btl_tcp_if_include", "lo"));
        }
        if (transports.contains("shm")) {
            contenders.put("Open MPI shm", () -> mpi(program, "vader,self"));
        }
    }

    private Map<Integer, Times> mpi(Path program, String... layer) throws IOException, InterruptedException {
        var command = new ArrayList<>(MPI_RUN);
        command.addAll(List.of(layer));
        command.addAll(List.of("-np", Integer.toString(ranks), program.toString()));
        command.addAll(work);
        Process process = started(new ProcessBuilder(command));
        return ended(List.of(process), output(process));
    }

    private Map<Integer, Times> gloo(String python, Path script) throws IOException, InterruptedException {
        int port;
        try (var socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }
        var processes = new ArrayList<Process>();
        try {
            for (int rank = 0; rank < ranks; rank++) {
                var command = new ArrayList<>(List.of(python, script.toString()));
                command.addAll(work);
                var builder = new ProcessBuilder(command);
                builder.environment().putAll(Map.of("RANK", Integer.toString(rank), "WORLD_SIZE", Integer.toString(ranks),
                        "MASTER_ADDR", "127.0.0.1", "MASTER_PORT", Integer.toString(port), "GLOO_SOCKET_IFNAME", "lo"));
                processes.add(started(builder));
            }
            return ended(processes, output(processes.getFirst()));
        } finally {
            processes.forEach(Process::destroyForcibly);
        }
    }

    private static Process started(ProcessBuilder builder) throws IOException {
        return builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }

    private static BufferedReader output(Process process) {
        return new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    /** The figures that a process prints, once all of them have ended well. */
    private static Map<Integer, Times> ended(List<Process> processes, BufferedReader output)
            throws IOException, InterruptedException {
        var times = new TreeMap<Integer, Times>();
        for (String line = output.readLine(); line != null; line = output.readLine()) {
            String[] words = line.split(" ", -1);
            times.put(Integer.valueOf(words[0]),
                    new Times(Double.parseDouble(words[1]), Double.parseDouble(words[2]), Double.parseDouble(words[3])));
        }
        for (Process process : processes) {
            if (process.waitFor() != 0) {
                throw new IOException("a process ended with " + process.exitValue());
            }
        }
        return times;
    }

    private Path copy(String resource, Path directory) throws IOException {
        Path file = directory.resolve(resource);
        try (InputStream in = Objects.requireNonNull(CollectiveTimes.class.getResourceAsStream(resource))) {
            Files.copy(in, file);
        }
        return file;
    }
}
