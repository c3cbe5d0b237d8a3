package org.maniple.transport.rdma;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Says what there is on this host for RDMA, and what is missing. */
final class Doctor {

    private static final Path LIMITS = Path.of("/proc/self/limits");
    private static final String LOCKED = "Max locked memory";
    private static final String NONE = "none";
    private static final String RESOURCE = "resource ";

    private final RdmaSettings settings;
    private final Map<String, String> environment;
    private final List<RdmaDevice> devices;
    private final Path limits;

    Doctor(RdmaSettings settings, Map<String, String> environment, List<RdmaDevice> devices, Path limits) {
        this.settings = settings;
        this.environment = environment;
        this.devices = devices;
        this.limits = limits;
    }

    static Doctor here(Map<String, String> environment) {
        return new Doctor(RdmaSettings.of(environment), environment, RdmaDevice.all(RdmaDevice.DIRECTORY), LIMITS);
    }

    List<String> lines() {
        var lines = new ArrayList<String>();
        lines.add("devices (" + RdmaDevice.DIRECTORY + "): "
                + (devices.isEmpty() ? NONE : String.join(", ", devices.stream().map(RdmaDevice::toString).toList())));
        lines.add("locked memory: " + lockedMemory());
        UcxLibrary.Result result = UcxLibrary.load(settings.library());
        lines.add(switch (result) {
            case UcxLibrary.Loaded(var ucp, String version, String file) -> "library: UCX " + version + ", " + file;
            case UcxLibrary.Missing(String reason) -> "library: " + reason;
        });
        Map<String, String> variables = settings.variables(environment, devices);
        lines.add("settings: " + String.join(" ",
                variables.entrySet().stream().map(one -> "UCX_" + one.getKey() + "=" + one.getValue()).toList()));
        Optional<String> obstacle = Obstacles.of(settings, environment, devices);
        lines.add(obstacle.map(reason -> "would be used: nothing, because " + reason)
                .orElseGet(() -> result instanceof UcxLibrary.Loaded loaded
                        ? wouldUse(loaded, variables)
                        : "would be used: nothing, because there is no library"));
        return lines;
    }

    private static String wouldUse(UcxLibrary.Loaded library, Map<String, String> variables) {
        try (Worker worker = Worker.open(library.ucp(), variables, 2)) {
            return "would be used: " + String.join(", ", worker.info().lines()
                    .filter(line -> line.contains(RESOURCE))
                    .map(line -> line.substring(line.lastIndexOf(' ') + 1))
                    .distinct().toList());
        } catch (UcxException e) {
            return "would be used: nothing, because " + e.getMessage();
        }
    }

    /** Devices can only read and write memory that stays where it is. */
    private String lockedMemory() {
        try (Stream<String> lines = Files.lines(limits)) {
            String soft = lines.filter(line -> line.startsWith(LOCKED))
                    .map(line -> line.substring(LOCKED.length()).strip().split("\\s+", -1)[0]).findFirst().orElse("?");
            return soft.equals("unlimited")
                    ? soft
                    : soft + " bytes; devices need more: ulimit -l unlimited, LimitMEMLOCK=infinity (systemd), --ulimit memlock=-1 (Docker)";
        } catch (IOException e) {
            return "not known: " + e;
        }
    }
}
