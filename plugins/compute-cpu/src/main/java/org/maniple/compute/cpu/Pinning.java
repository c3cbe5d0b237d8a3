package org.maniple.compute.cpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.stream.Stream;
import org.maniple.api.ManipleException;

/** Keeps the threads of a rank on processors of their own: those that this process may use are dealt over the ranks of the node. */
final class Pinning implements IntConsumer {

    private static final Path STATUS = Path.of("/proc/self/status");
    private static final String ALLOWED = "Cpus_allowed_list:";
    private static final Path PROCESSORS = Path.of("/sys/devices/system/cpu");

    private final LinuxCalls linux;
    private final String architecture;
    private final List<Integer> processors;
    private final Optional<Integer> node;
    private final Consumer<String> announce;

    private Pinning(LinuxCalls linux, String architecture, List<Integer> processors, Optional<Integer> node,
            Consumer<String> announce) {
        this.linux = linux;
        this.architecture = architecture;
        this.processors = processors;
        this.node = node;
        this.announce = announce;
    }

    /**
     * The processors of a rank.
     *
     * @param architecture of the machine, as the JVM names it
     * @param localRank which rank of its node this is
     * @param threads of each rank
     * @param numa whether memory is to come from the NUMA node of the first of them
     * @param announce is told of what the system refuses
     * @throws ManipleException if this system has no way to do it
     */
    static Pinning of(String architecture, int localRank, int threads, boolean numa, Consumer<String> announce) {
        LinuxCalls linux = LinuxCalls.find().orElseThrow(() -> new ManipleException(
                "cpu-pinning and cpu-numa-binding need Linux, and native access for the plugin; leave them out"));
        List<Integer> allowed = allowed();
        var own = new ArrayList<Integer>();
        for (int i = 0; i < threads; i++) {
            own.add(allowed.get((localRank * threads + i) % allowed.size()));
        }
        return new Pinning(linux, architecture, own, numa ? node(own.getFirst()) : Optional.empty(), announce);
    }

    List<Integer> processors() {
        return processors;
    }

    /** To be called by a thread as it begins, with its number. */
    @Override
    public void accept(int thread) {
        int processor = processors.get(thread);
        int error = linux.pin(processor);
        if (error != 0) {
            announce.accept("cpu: thread " + thread + " cannot be kept on processor " + processor + " (errno " + error + ")");
        }
        node.ifPresent(number -> {
            int refused = linux.bind(number, architecture);
            if (refused != 0) {
                announce.accept(
                        "cpu: memory of thread " + thread + " cannot be bound to NUMA node " + number + " (errno " + refused
                                + ")");
            }
        });
    }

    private static List<Integer> allowed() {
        try {
            return Files.readAllLines(STATUS).stream().filter(line -> line.startsWith(ALLOWED)).findFirst()
                    .map(line -> numbers(line.substring(ALLOWED.length()).strip()))
                    .orElseThrow(() -> new ManipleException(STATUS + " does not say which processors may be used"));
        } catch (IOException e) {
            throw new ManipleException("which processors may be used cannot be read from " + STATUS + ": " + e.getMessage(), e);
        }
    }

    /** The numbers of a list such as {@code 0-3,8}. */
    static List<Integer> numbers(String list) {
        var numbers = new ArrayList<Integer>();
        for (String range : list.split(",", -1)) {
            String[] ends = range.strip().split("-", -1);
            for (int i = Integer.parseInt(ends[0]); i <= Integer.parseInt(ends[ends.length - 1]); i++) {
                numbers.add(i);
            }
        }
        return numbers;
    }

    private static Optional<Integer> node(int processor) {
        try (Stream<Path> files = Files.list(PROCESSORS.resolve("cpu" + processor))) {
            return files.map(file -> file.getFileName().toString()).filter(name -> name.matches("node\\d+")).findFirst()
                    .map(name -> Integer.parseInt(name.substring("node".length())));
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
