package org.maniple.it;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.maniple.api.compute.ComputeSession;
import org.maniple.compute.cpu.CpuBackend;

/** The sets of kernels that the option {@code cpu-isa} of the CPU back end chooses from. */
final class CpuVariants {

    static final String KEY = "cpu-isa";

    /** What the option may say, and how the back end announces that it does so. */
    private static final Map<String, String> ANNOUNCED = Map.of("vector-api", "no native kernels (cpu-isa vector-api)", "avx2",
            "native kernels avx2 ", "avx512", "native kernels avx512vnni ", "amx", "native kernels amx ");

    private CpuVariants() {}

    /** All words but {@code auto}, which is one of the others. */
    static List<String> all() {
        return ANNOUNCED.keySet().stream().sorted().toList();
    }

    /** A session with some kernels and no others; skips the test, with what the back end says, where the processor or the build has none. */
    static ComputeSession open(String word, Map<String, Object> settings) {
        var lines = new ArrayList<String>();
        var backend = new CpuBackend();
        var values = new java.util.HashMap<>(settings);
        values.put(KEY, word);
        ComputeSession session = backend.open(new TestContext(new MapSettings(values, backend.options()), lines::add), 1);
        boolean used = lines.stream().anyMatch(line -> line.contains(ANNOUNCED.get(word)));
        if (!used) {
            session.close();
        }
        Assumptions.assumeTrue(used, () -> "skipped: " + KEY + " " + word + " is not used here: " + lines);
        return session;
    }

    /** Skips the test where some kernels cannot be used. */
    static void require(String word) {
        open(word, Map.of()).close();
    }
}
