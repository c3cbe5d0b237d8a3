package org.maniple.system;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What one rank's process holds, as Linux and its JVM tell it; the JVM must have been started with {@link #TRACKING}.
 *
 * @param mapped bytes of a model's files that are mapped
 * @param mappedResident the part of them that is in memory
 * @param outside memory that was allocated outside of the JVM's heap by the program: copied weights, KV cache, buffers
 * @param resident all that the process has in memory
 */
record RankMemory(long mapped, long mappedResident, long outside, long resident) {

    /** Lets a JVM count what it allocates. */
    static final String TRACKING = "-XX:NativeMemoryTracking=summary";

    private static final int KB = 1024;
    private static final Pattern OUTSIDE = Pattern.compile("Other \\(reserved=\\d+KB, committed=(\\d+)KB");
    private static final Pattern PART = Pattern.compile("^[0-9a-f]+-[0-9a-f]+ \\S+ \\S+ \\S+ \\d+\\s*(.*)$");
    private static final Pattern FIGURE = Pattern.compile("^(Size|Rss):\\s+(\\d+) kB$");

    /** Measures. */
    static RankMemory of(long process, Path model) throws IOException {
        long mapped = 0;
        long mappedResident = 0;
        long resident = 0;
        boolean ofModel = false;
        for (String line : Files.readAllLines(Path.of("/proc", Long.toString(process), "smaps"))) {
            Matcher part = PART.matcher(line);
            if (part.matches()) {
                ofModel = part.group(1).startsWith(model.toString());
                continue;
            }
            Matcher figure = FIGURE.matcher(line);
            if (figure.matches()) {
                long bytes = KB * Long.parseLong(figure.group(2));
                boolean size = figure.group(1).equals("Size");
                mapped += ofModel && size ? bytes : 0;
                mappedResident += ofModel && !size ? bytes : 0;
                resident += size ? 0 : bytes;
            }
        }
        return new RankMemory(mapped, mappedResident, outside(process), resident);
    }

    private static long outside(long process) {
        String jcmd = Path.of(System.getProperty("java.home"), "bin/jcmd").toString();
        String text = Command
                .run(Path.of("."), List.of(jcmd, Long.toString(process), "VM.native_memory", "summary")).succeeded().text();
        Matcher other = OUTSIDE.matcher(text);
        if (!other.find()) {
            throw new AssertionError("no figure for [Other] in what jcmd printed:\n" + text);
        }
        return KB * Long.parseLong(other.group(1));
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "mapped %,d (in memory %,d), outside of the heap %,d, process %,d", mapped,
                mappedResident, outside, resident);
    }
}
