package org.maniple.transport.rdma;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A port of an InfiniBand or RoCE device, as the kernel shows it in {@code /sys/class/infiniband}.
 *
 * @param name of the device, for example {@code mlx5_0}
 * @param port its number
 * @param state for example {@code ACTIVE}
 * @param link {@code InfiniBand} or {@code Ethernet}
 * @param rate for example {@code 100 Gb/sec (4X EDR)}
 */
record RdmaDevice(String name, int port, String state, String link, String rate) {

    static final Path DIRECTORY = Path.of("/sys/class/infiniband");

    /** All ports of all devices; empty if the kernel shows none. */
    static List<RdmaDevice> all(Path directory) {
        var devices = new ArrayList<RdmaDevice>();
        for (Path device : children(directory)) {
            for (Path port : children(device.resolve("ports"))) {
                devices.add(new RdmaDevice(device.getFileName().toString(), Integer.parseInt(port.getFileName().toString()),
                        text(port.resolve("state")).replaceFirst("^\\d+: *", ""), text(port.resolve("link_layer")),
                        text(port.resolve("rate"))));
            }
        }
        return devices;
    }

    private static List<Path> children(Path directory) {
        try (Stream<Path> files = Files.list(directory)) {
            return files.sorted().toList();
        } catch (IOException e) {
            return List.of();
        }
    }

    private static String text(Path file) {
        try {
            return Files.readString(file).strip();
        } catch (IOException e) {
            return "?";
        }
    }

    boolean active() {
        return state.equals("ACTIVE");
    }

    /** What UCX calls it. */
    String ucxName() {
        return name + ":" + port;
    }

    @Override
    public String toString() {
        return ucxName() + " (" + link + ", " + rate + ", " + state + ")";
    }
}
