package org.maniple.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Times frames between two processes on this host over the transports that are named, and beside those over UCX, in the same rounds, UCX' own
 * {@code ucx_perftest} (tagged messages) if it is there. Prints medians over the rounds, and ratios.
 */
public final class WireTimes {

    private static final String DEFAULT_SIZES = "4096,16384,65536,262144,1048576,4194304,16777216";
    /** What UCX is told, by the transport that uses the same. */
    private static final Map<String, Map<String, String>> UCX = Map.of("ucx-tcp",
            Map.of("UCX_TLS", "tcp,self", "UCX_NET_DEVICES", "lo"),
            "ucx-shm", Map.of("UCX_TLS", "posix,cma,self", "UCX_POSIX_ERROR_HANDLING", "y"), "rdma",
            Map.of("UCX_TLS", "ib,self"));
    private static final String PERFTEST = "ucx_perftest";
    /** With endpoints that notice that a peer is gone, as those of Maniple do: UCX then leaves out ways that cannot tell. */
    private static final String NOTICES = "-e";
    private static final long SECONDS = 60;

    private final List<Integer> sizes;
    /** By name and size: half round trips in microseconds, one for each round. */
    private final Map<String, Map<Integer, List<Double>>> results = new LinkedHashMap<>();

    private WireTimes(List<Integer> sizes) {
        this.sizes = sizes;
    }

    /**
     * Runs and prints.
     *
     * @param arguments {@code --transports ucx-tcp,ucx-shm}, {@code --sizes} in bytes with commas in between, {@code --rounds 3}
     * @throws Exception if a process fails
     */
    public static void main(String[] arguments) throws Exception {
        var times = new WireTimes(Stream.of(text(arguments, "--sizes", DEFAULT_SIZES).split(",")).map(Integer::valueOf).toList());
        List<String> transports = List.of(text(arguments, "--transports", "ucx-tcp,ucx-shm").split(","));
        int rounds = Integer.parseInt(text(arguments, "--rounds", "3"));
        for (int round = 1; round <= rounds; round++) {
            for (String transport : transports) {
                System.out.println("round " + round + " of " + rounds + ": " + transport);
                times.maniple(transport);
                if (UCX.containsKey(transport)) {
                    times.perftest(transport);
                }
            }
        }
        times.print(transports, rounds);
    }

    private static String text(String[] arguments, String flag, String otherwise) {
        int at = List.of(arguments).indexOf(flag);
        return at < 0 ? otherwise : arguments[at + 1];
    }

    private static int repetitions(int bytes) {
        return Math.clamp((64L << 20) / bytes, 20, 3000);
    }

    private void add(String name, int bytes, double micros) {
        System.out.printf(Locale.ROOT, "  %s, %d bytes: %.1f µs%n", name, bytes, micros);
        results.computeIfAbsent(name, n -> new TreeMap<>()).computeIfAbsent(bytes, b -> new ArrayList<>()).add(micros);
    }

    private void maniple(String transport) throws IOException, InterruptedException {
        var processes = new ArrayList<Process>();
        try {
            for (int rank = 0; rank < 2; rank++) {
                var command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
                        System.getProperty("java.class.path"), "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC",
                        "-Xmx256m",
                        WireRank.class.getName(), transport, Integer.toString(rank)));
                sizes.forEach(size -> command.addAll(List.of(size.toString(), Integer.toString(repetitions(size)))));
                processes.add(new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start());
            }
            var outputs = processes.stream().map(process -> process.inputReader(StandardCharsets.UTF_8)).toList();
            var addresses = new ArrayList<String>();
            for (BufferedReader output : outputs) {
                addresses.add(Objects.requireNonNull(output.readLine(), "a rank has ended without an address"));
            }
            for (Process process : processes) {
                process.outputWriter(StandardCharsets.UTF_8).append(String.join(" ", addresses)).append('\n').flush();
            }
            for (String line = outputs.getFirst().readLine(); line != null; line = outputs.getFirst().readLine()) {
                String[] words = line.split(" ", -1);
                add("maniple " + transport, Integer.parseInt(words[0]), Double.parseDouble(words[1]));
            }
        } finally {
            processes.forEach(Process::destroyForcibly);
        }
    }

    private void perftest(String transport) throws IOException, InterruptedException {
        for (int size : sizes) {
            int port;
            try (var socket = new ServerSocket(0)) {
                port = socket.getLocalPort();
            }
            Process server;
            try {
                server = ucx(transport, "-p", Integer.toString(port), NOTICES);
            } catch (IOException e) {
                System.out.println("  " + PERFTEST + " is left out: " + e.getMessage() + " (Debian: ucx-utils)");
                return;
            }
            try {
                Process client = client(transport, port, size);
                var lines = client.inputReader(StandardCharsets.UTF_8).lines().map(String::strip)
                        .filter(line -> line.matches("\\d+,[\\d.]+,.*")).toList();
                if (!client.waitFor(SECONDS, TimeUnit.SECONDS) || lines.isEmpty()) {
                    throw new IOException(PERFTEST + " has printed no figures for " + size + " bytes");
                }
                add(PERFTEST + " " + transport, size, Double.parseDouble(lines.getLast().split(",", -1)[1]));
            } finally {
                server.destroyForcibly();
            }
        }
    }

    /** Its server needs a moment until it listens. */
    private static Process client(String transport, int port, int size) throws IOException, InterruptedException {
        TimeUnit.MILLISECONDS.sleep(300);
        return ucx(transport, "127.0.0.1", "-p", Integer.toString(port), "-t", "tag_lat", "-s", Integer.toString(size), "-n",
                Integer.toString(repetitions(size)), "-w", Integer.toString(Math.max(10, repetitions(size) / 2)), "-f", "-v",
                NOTICES);
    }

    private static Process ucx(String transport, String... arguments) throws IOException {
        var command = new ArrayList<>(List.of(PERFTEST));
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD);
        builder.environment().putAll(Objects.requireNonNull(UCX.get(transport)));
        return builder.start();
    }

    private void print(List<String> transports, int rounds) {
        System.out.printf(
                "%nFrames between two processes on %d processors; half round trips in µs, medians over %d rounds; ratios below 1: maniple is faster%n%n",
                Runtime.getRuntime().availableProcessors(), rounds);
        List<String> compared = transports.stream().filter(name -> results.containsKey(PERFTEST + " " + name)).toList();
        System.out.println("| bytes | " + String.join(" | ", results.keySet())
                + compared.stream().map(name -> " | " + name + " ÷").reduce("", String::concat) + " |");
        System.out.println("|" + " ---: |".repeat(1 + results.size() + compared.size()));
        for (int size : sizes) {
            var line = new StringBuilder("| " + size);
            results.keySet().forEach(name -> line.append(String.format(Locale.ROOT, " | %.1f", median(times(name, size)))));
            for (String name : compared) {
                List<Double> own = times("maniple " + name, size);
                List<Double> theirs = times(PERFTEST + " " + name, size);
                var ratios = new ArrayList<Double>();
                for (int round = 0; round < rounds; round++) {
                    ratios.add(own.get(round) / theirs.get(round));
                }
                line.append(String.format(Locale.ROOT, " | %.2f", median(ratios)));
            }
            System.out.println(line + " |");
        }
    }

    private List<Double> times(String name, int size) {
        return Objects.requireNonNull(Objects.requireNonNull(results.get(name)).get(size));
    }

    private static double median(List<Double> values) {
        double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return sorted[sorted.length / 2];
    }
}
