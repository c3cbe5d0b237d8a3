package org.maniple.transport.shm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.maniple.api.transport.HostProcess;
import org.maniple.api.transport.TransportException;

/**
 * Where a rank's memory is. Other processes open it by the process that has it open; so both must see the same processes, and belong to the
 * same user. Processes with networks of their own count as being on hosts of their own, as everywhere else.
 *
 * @param boot identifies the running kernel
 * @param processes identifies the process name space
 * @param network identifies the network name space
 * @param user the owner of the process
 * @param process its number there
 * @param started when it was started, in the kernel's ticks, since numbers are used again
 * @param descriptor of the memory in that process
 */
record Locator(String boot, String processes, String network, int user, long process, long started, int descriptor) {

    private static final String PREFIX = "shm";
    private static final int PARTS = 8;

    static Locator here(int descriptor) throws IOException {
        HostProcess self = HostProcess.here();
        String network = Files.readSymbolicLink(Path.of("/proc/self/ns/net")).toString().replaceAll("[^0-9]", "");
        int user = (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
        return new Locator(self.boot(), self.processes(), network, user, self.process(), self.started(), descriptor);
    }

    static Locator parse(String text) {
        String[] parts = text.split(":", -1);
        try {
            if (parts.length == PARTS && parts[0].equals(PREFIX)) {
                return new Locator(parts[1], parts[2], parts[3], Integer.parseInt(parts[4]), Long.parseLong(parts[5]),
                        Long.parseLong(parts[6]), Integer.parseInt(parts[7]));
            }
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw new TransportException("[" + text + "] is not an address of the shm transport");
    }

    /** What keeps two ranks from seeing each other's memory; the same for both. */
    Optional<String> distance(Locator other) {
        if (!boot.equals(other.boot)) {
            return Optional.of("they are on different hosts");
        }
        if (!processes.equals(other.processes)) {
            return Optional.of("they are in different containers, which do not see each other's processes (Kubernetes:"
                    + " shareProcessNamespace, Docker: --pid)");
        }
        if (!network.equals(other.network)) {
            return Optional.of("they have networks of their own, as if they were on different hosts");
        }
        if (user != other.user) {
            return Optional.of("their processes belong to different users, " + Math.min(user, other.user) + " and "
                    + Math.max(user, other.user));
        }
        return Optional.empty();
    }

    /** By rank: the lowest rank whose memory it can see; itself if it has no address. */
    static int[] islands(List<String> addresses) {
        int[] islands = new int[addresses.size()];
        var known = new ArrayList<@Nullable Locator>();
        for (int rank = 0; rank < islands.length; rank++) {
            islands[rank] = rank;
            Locator locator = addresses.get(rank).isEmpty() ? null : Locator.parse(addresses.get(rank));
            for (int other = 0; other < rank && islands[rank] == rank && locator != null; other++) {
                Locator before = known.get(other);
                if (before != null && before.distance(locator).isEmpty()) {
                    islands[rank] = islands[other];
                }
            }
            known.add(locator);
        }
        return islands;
    }

    /** The process of the rank, for who watches it. */
    HostProcess hostProcess() {
        return new HostProcess(boot, processes, process, started);
    }

    Path path() {
        return Path.of("/proc", Long.toString(process), "fd", Integer.toString(descriptor));
    }

    @Override
    public String toString() {
        return String.join(":", PREFIX, boot, processes, network, Integer.toString(user), Long.toString(process),
                Long.toString(started),
                Integer.toString(descriptor));
    }
}
