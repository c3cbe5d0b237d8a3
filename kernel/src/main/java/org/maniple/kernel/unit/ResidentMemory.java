package org.maniple.kernel.unit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What this process has in memory, as Linux counts it: the heap, memory outside of it, and the parts of mapped files that have been read. Safe for
 * use by several threads.
 */
public final class ResidentMemory {

    private static final Path STATUS = Path.of("/proc/self/status");
    private static final Pattern RESIDENT = Pattern.compile("VmRSS:\\s+(\\d{1,12}) kB");
    private static final long KIB = 1024;

    private ResidentMemory() {}

    /**
     * Asks the system.
     *
     * @return bytes; 0 where the system does not tell
     */
    public static long bytes() {
        try (Stream<String> lines = Files.lines(STATUS)) {
            return lines.map(RESIDENT::matcher).filter(Matcher::matches).mapToLong(line -> KIB * Long.parseLong(line.group(1)))
                    .findFirst().orElse(0);
        } catch (IOException e) {
            return 0; // another system than Linux
        }
    }
}
