package org.maniple.kernel.config;

import java.util.List;
import java.util.Optional;
import org.maniple.api.HostInfo;
import org.maniple.api.mesh.Mesh;
import org.maniple.kernel.engine.Speculation;
import org.maniple.kernel.plugin.NearestName;

/** Mistakes about the kernel's own keys that a single value does not show. */
final class KernelChecks {

    private static final int CROWDED = 4;
    private static final double LEAST_STRETCH = 1.1;

    private final EffectiveSettings settings;
    private final Problems problems;

    KernelChecks(EffectiveSettings settings, Problems problems) {
        this.settings = settings;
        this.problems = problems;
    }

    void checkValues() {
        for (String key : List.of(KernelOptions.PORT, KernelOptions.HEALTH_PORT, KernelOptions.MASTER_PORT)) {
            if (settings.has(key) && settings.integer(key) > 65_535) {
                problem(key, "[" + settings.integer(key) + "] is no port; give at most 65535");
            }
        }
        if (settings.has(KernelOptions.HEALTH_PORT) && settings.integer(KernelOptions.HEALTH_PORT) != 0
                && settings.integer(KernelOptions.HEALTH_PORT) == settings.integer(KernelOptions.PORT)) {
            problem(KernelOptions.HEALTH_PORT,
                    "[" + settings.integer(KernelOptions.HEALTH_PORT) + "] is the port at which the unit serves,"
                            + " which opens only when it is ready; give another");
        }
        if (settings.has(KernelOptions.GPU_MEMORY_UTILIZATION)) {
            double part = settings.number(KernelOptions.GPU_MEMORY_UTILIZATION);
            if (part <= 0 || part > 1) {
                problem(KernelOptions.GPU_MEMORY_UTILIZATION,
                        "[" + ValueParser.text((Object) part) + "] must be above 0 and at most 1");
            }
        }
        checkSteps();
        checkCache();
        try {
            if (SpeculationWish.of(settings) instanceof Speculation.NextLayer && settings.flag(KernelOptions.ENABLE_DBO)) {
                problem(KernelOptions.ENABLE_DBO, "[true] does not go with a layer of the model that guesses tokens ("
                        + SpeculationWish.key(settings) + "), whose passes go on from whole steps; leave one of the two out");
            }
        } catch (IllegalArgumentException e) {
            problem(SpeculationWish.key(settings), String.valueOf(e.getMessage()));
        }
        if (!settings.text(KernelOptions.UNIT_NAME).matches("[A-Za-z0-9][A-Za-z0-9._-]{0,62}")) {
            problem(KernelOptions.UNIT_NAME, "[" + settings.text(KernelOptions.UNIT_NAME)
                    + "] must consist of at most 63 letters, digits, dots and dashes");
        }
        for (String key : List.of(KernelOptions.JOIN_TIMEOUT, KernelOptions.STEP_TIMEOUT)) {
            if (settings.duration(key).isZero()) {
                problem(key, "[0s] would give up at once; give at least 1s");
            }
        }
    }

    private void checkSteps() {
        int sequences = settings.integer(KernelOptions.MAX_NUM_SEQS);
        int tokens = settings.integer(KernelOptions.MAX_NUM_BATCHED_TOKENS);
        if (tokens < sequences) {
            String key = settings.given(KernelOptions.MAX_NUM_BATCHED_TOKENS)
                    ? KernelOptions.MAX_NUM_BATCHED_TOKENS
                    : KernelOptions.MAX_NUM_SEQS;
            problem(key,
                    "a step of at most " + tokens + " tokens (max-num-batched-tokens) cannot hold one of each of " + sequences
                            + " sequences (max-num-seqs); make the first at least as large as the second");
        }
        double stretch = settings.number(KernelOptions.MAX_STEP_STRETCH);
        if (stretch != 0 && stretch < LEAST_STRETCH) {
            problem(KernelOptions.MAX_STEP_STRETCH, "[" + ValueParser.text((Object) stretch)
                    + "] leaves no time for prompts; give at least " + LEAST_STRETCH + ", or 0 for any time");
        }
        long given = List
                .of(KernelOptions.KV_CACHE_MEMORY_BYTES, KernelOptions.NUM_GPU_BLOCKS_OVERRIDE,
                        KernelOptions.GPU_MEMORY_UTILIZATION)
                .stream().filter(settings::given).count();
        if (given > 1) {
            problem(settings.given(KernelOptions.KV_CACHE_MEMORY_BYTES)
                    ? KernelOptions.KV_CACHE_MEMORY_BYTES
                    : KernelOptions.NUM_GPU_BLOCKS_OVERRIDE,
                    "only one of kv-cache-memory-bytes, num-gpu-blocks-override and gpu-memory-utilization can decide how many KV blocks there"
                            + " are; give one of them");
        }
    }

    private void checkCache() {
        String type = settings.text(KernelOptions.KV_CACHE_DTYPE);
        if (KernelOptions.CACHE_TYPES.contains(type)) {
            return;
        }
        problem(KernelOptions.KV_CACHE_DTYPE, type.startsWith("fp8") || type.startsWith("f8")
                ? "[" + type
                        + "] is not done here: int8 takes the same memory and, with a factor for each token and head, keeps more of each"
                        + " element than the 3 or 2 bits of an FP8 mantissa; give int8"
                : "[" + type + "] is not one of " + KernelOptions.CACHE_TYPES
                        + NearestName.hint(type, KernelOptions.CACHE_TYPES));
    }

    /** Many more ranks than processors are more likely sizes that were multiplied by mistake. */
    void checkCrowding(Mesh mesh, Topology topology, HostInfo host, OtherReadings readings, List<String> notices) {
        if (topology.ranksHere() > CROWDED * host.processors()) {
            notices.add(MeshComposer.describe(mesh) + ", of which " + topology.ranksHere() + " run on this node with "
                    + host.processors()
                    + (host.processors() == 1 ? " processor" : " processors")
                    + "; sizes are multiplied, so check that all of them are meant"
                    + readings.of(mesh).map(reading -> "; " + reading).orElse(""));
        }
    }

    /** What depends on the node that this is. */
    void checkPlace(Topology topology, Optional<UnitSecret> secret, List<String> notices) {
        if (settings.flag(KernelOptions.HEADLESS) && topology.node() == 0 && !settings.flag(KernelOptions.API_PER_GROUP)) {
            problem(KernelOptions.HEADLESS,
                    "node 0 is the one that serves: with it every node is --headless and nobody serves; start node 0"
                            + " without the flag");
        }
        if (topology.nodes() == 1) {
            return;
        }
        if (secret.isEmpty() && !settings.has(KernelOptions.UNIT_SECRET) && !settings.has(KernelOptions.UNIT_SECRET_FILE)) {
            problem(KernelOptions.UNIT_SECRET,
                    "a unit of several nodes needs a secret, so that nobody else can join it; put one of at least"
                            + " 16 bytes into a file on every node and give --unit-secret-file FILE, or set MANIPLE_UNIT_SECRET");
        }
        if (topology.node() == 0 && new HostPort(settings.text(KernelOptions.HOST), 0).loopback()) {
            notices.add("host [" + settings.text(KernelOptions.HOST) + "] (" + settings.source(KernelOptions.HOST)
                    + ") is loopback: only programs on"
                    + " node 0 itself reach this unit of " + topology.nodes() + " nodes; give --host 0.0.0.0 to serve others");
        }
    }

    private void problem(String key, String message) {
        problems.add(settings.given(key) ? settings.source(key) : "", key, message);
    }
}
