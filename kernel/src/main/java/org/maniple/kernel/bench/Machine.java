package org.maniple.kernel.bench;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * What figures were measured on.
 *
 * @param cpu the processor's name, as far as it is known
 * @param features those of its features that kernels differ by
 * @param processors how many this process may use
 * @param load processes that wanted to run, on average over the last minute; negative if the system does not say
 */
public record Machine(String cpu, List<String> features, int processors, double load) {

    private static final Path CPU_INFO = Path.of("/proc/cpuinfo");
    private static final Set<String> KNOWN = Set.of("avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512_vnni",
            "avx512_vbmi", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16", "asimd", "asimddp", "i8mm", "bf16",
            "sve");

    /** Copies the list. */
    public Machine {
        features = List.copyOf(features);
    }

    /**
     * This machine, now.
     *
     * @return a snapshot
     */
    public static Machine now() {
        List<String> lines = cpuInfo();
        String name = field(lines, "model name").findFirst().orElse("unknown processor");
        var features = new TreeSet<String>();
        Stream.concat(field(lines, "flags"), field(lines, "Features")).findFirst()
                .ifPresent(all -> Arrays.stream(all.split(" ")).filter(KNOWN::contains).forEach(features::add));
        return new Machine(name, List.copyOf(features), Runtime.getRuntime().availableProcessors(),
                ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage());
    }

    private static List<String> cpuInfo() {
        try {
            return Files.isReadable(CPU_INFO) ? Files.readAllLines(CPU_INFO) : List.of();
        } catch (IOException e) {
            return List.of();
        }
    }

    private static Stream<String> field(List<String> lines, String name) {
        return lines.stream().filter(line -> line.startsWith(name)).map(line -> line.substring(line.indexOf(':') + 1).strip());
    }

    /**
     * In words.
     *
     * @return one line
     */
    public String line() {
        return cpu + ", " + processors + (processors == 1 ? " processor" : " processors") + ", load "
                + (load < 0 ? "unknown" : String.format(java.util.Locale.ROOT, "%.2f", load)) + ", " + String.join(" ", features);
    }
}
