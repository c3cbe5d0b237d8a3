package org.maniple.compute.cpu;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What tells processors apart for whom the same kernels may compute differently. */
final class Processor {

    private static final Path INFO = Path.of("/proc/cpuinfo");
    /** Model, revision, microcode and features, as Linux names them on x86 and AArch64. */
    private static final Set<String> LINES = Set.of("vendor_id", "cpu family", "model", "model name", "stepping", "microcode",
            "flags", "Features",
            "CPU implementer", "CPU architecture", "CPU variant", "CPU part", "CPU revision");

    private Processor() {}

    /** This machine's first one in words; empty if the system does not tell. */
    static Optional<String> description() {
        return description(INFO);
    }

    static Optional<String> description(Path info) {
        List<String> words = new ArrayList<>();
        try (BufferedReader lines = Files.newBufferedReader(info)) {
            for (String line = lines.readLine(); line != null && !line.isBlank(); line = lines.readLine()) {
                int colon = line.indexOf(':');
                if (colon > 0 && LINES.contains(line.substring(0, colon).strip())) {
                    words.add(line.substring(0, colon).strip() + "=" + line.substring(colon + 1).strip());
                }
            }
        } catch (IOException e) {
            return Optional.empty();
        }
        return words.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", words));
    }
}
