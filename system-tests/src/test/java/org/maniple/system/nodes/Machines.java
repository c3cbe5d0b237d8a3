package org.maniple.system.nodes;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/** Two machines, {@code n0} and {@code n1}, which know each other by name. Needs Linux, root, and the programs ip and nft. */
final class Machines implements AutoCloseable {

    /** The system puts files of this folder in the place of those of the same names in /etc for programs in a namespace. */
    private static final Path FILES = Path.of("/etc/netns");

    final Machine first;
    final Machine second;

    private Machines(String name) {
        this.first = new Machine(name + "-0", "n0", "10.77.1.1");
        this.second = new Machine(name + "-1", "n1", "10.77.1.2");
    }

    /** Builds them; skips the test where that is impossible, and fails it on CI. */
    static Machines build(int ranksPerNode) {
        var machines = new Machines("maniple-" + ProcessHandle.current().pid());
        try {
            Tool.must("", List.of("nft", "--version"));
            Tool.must("", List.of("ss", "--version"));
            machines.build(List.of(machines.first, machines.second), ranksPerNode);
            return machines;
        } catch (IOException e) {
            machines.close();
            String reason = "no network namespaces as machines (they need Linux, root, iproute2 and nftables): " + e.getMessage();
            if ("true".equals(System.getenv("CI"))) {
                Assertions.fail(reason + "; on CI they must be there");
            }
            Assumptions.abort("skipped: " + reason);
            throw new IllegalStateException(e);
        }
    }

    private void build(List<Machine> machines, int ranksPerNode) throws IOException {
        for (Machine machine : machines) {
            Path folder = Files.createDirectories(FILES.resolve(machine.namespace()));
            Files.writeString(folder.resolve("hosts"), "127.0.0.1 localhost\n" + first.address() + " " + first.host() + "\n"
                    + second.address() + " " + second.host() + "\n");
            machine.build();
        }
        first.connect(second);
        for (Machine machine : machines) {
            machine.addDecoy();
            machine.closeFirewall(ranksPerNode);
            machine.awaitCable();
        }
    }

    @Override
    public void close() {
        for (Machine machine : List.of(first, second)) {
            try {
                Tool.run("", List.of("ip", "netns", "del", machine.namespace()));
                Path folder = FILES.resolve(machine.namespace());
                Files.deleteIfExists(folder.resolve("hosts"));
                Files.deleteIfExists(folder);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
