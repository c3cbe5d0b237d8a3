package org.maniple.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/**
 * A thousand streams on four ranks, a tenth of which are left by their clients. Takes some minutes, so it only runs if asked to, by {@code -Pload}, or
 * {@code -Dmaniple.load=true}; {@link DemoIT} has fewer of them.
 */
class LoadIT {

    private static final int REQUESTS = 1000;
    private static final int CLIENTS = 64;
    private static final int RANKS = 4;
    private static final int TOKENS = 32;
    /** Of what a rank holds after the first half, by which it may be more after the second: compilers go on, for example. */
    private static final double NOISE = 0.03;
    private static final double NOISE_OF_ALL = 0.05;
    private static final Pattern LIVE = Pattern.compile("(?m)^Total +\\d+ +(\\d+)");

    /** What a rank holds: living objects on its heap, memory that it has allocated outside, and all that is resident. */
    private record Held(long heap, long outside, long resident) {

        /** After a garbage collection. */
        static Held by(ProcessHandle rank, Path model) throws IOException {
            String jcmd = Path.of(System.getProperty("java.home"), "bin/jcmd").toString();
            String classes = Command.run(Path.of("."), List.of(jcmd, Long.toString(rank.pid()), "GC.class_histogram"))
                    .succeeded().text();
            Matcher total = LIVE.matcher(classes);
            assertThat(total.find()).as("a total in what jcmd printed").isTrue();
            RankMemory memory = RankMemory.of(rank.pid(), model);
            return new Held(Long.parseLong(total.group(1)), memory.outside(), memory.resident());
        }

        @Override
        public String toString() {
            return String.format(Locale.ROOT, "heap %,d, outside %,d, resident %,d", heap, outside, resident);
        }
    }

    @Test
    void aThousandStreamsOfWhichATenthIsLeftAreAnsweredAndLeaveNothingBehind(@TempDir Path folder)
            throws IOException, InterruptedException {
        Assumptions.assumeTrue(Boolean.getBoolean("maniple.load"),
                "takes some minutes; to run it, give -Pload or -Dmaniple.load=true");
        Distribution distribution = Distribution.find();
        Path model = distribution.demoModel().toRealPath();
        // A KV cache takes room as it is used: of this one every block has been in use after half of the requests.
        UnitSpec spec = UnitSpec.of(model).with("tensor-parallel-size", 2).with("pipeline-parallel-size", 2)
                .with("max-num-seqs", CLIENTS).with("kv-cache-memory-bytes", "8MiB");
        Path file = Files.writeString(Files.createDirectory(folder.resolve("unit")).resolve("unit.yaml"), spec.yaml());
        Map<String, String> tracked = Map.of("JDK_JAVA_OPTIONS", RankMemory.TRACKING);
        try (UnitProcess unit = UnitProcess.start(distribution.command(List.of("launch", "unit.yaml")), tracked, file.getParent(),
                spec.yaml())) {
            Api api = unit.api();
            var load = new StreamLoad(unit.awaitReady(), CLIENTS, TOKENS, 256);
            check(load.run(REQUESTS / 2, 1), api);
            List<Held> first = held(unit, model);
            check(load.run(REQUESTS / 2, 2), api);
            List<Held> second = held(unit, model);

            for (int rank = 0; rank < RANKS; rank++) {
                say("rank %d, after half of the requests: %s", rank, first.get(rank));
                say("rank %d, after all of them:          %s", rank, second.get(rank));
            }
            for (int rank = 0; rank < RANKS; rank++) {
                Held before = first.get(rank);
                Held after = second.get(rank);
                assertThat(after.heap()).as("objects on the heap of rank %d", rank).isLessThan(more(before.heap(), NOISE));
                assertThat(after.outside()).as("memory outside of the heap of rank %d", rank)
                        .isLessThan(more(before.outside(), NOISE));
                assertThat(after.resident()).as("all memory of rank %d", rank).isLessThan(more(before.resident(), NOISE_OF_ALL));
            }
        }
    }

    private static long more(long bytes, double part) {
        return Math.round(bytes * (1 + part));
    }

    private static void check(StreamLoad.Outcome outcome, Api api) {
        assertThat(outcome.problems()).isEmpty();
        assertThat(outcome.left()).isEqualTo(REQUESTS / 2 / 10);
        assertThat(outcome.whole()).isEqualTo(REQUESTS / 2 - outcome.left());
        JsonNode ranks = Poll.until(() -> api.get("/v1/cluster").get("ranks"), all -> all.valueStream()
                .allMatch(rank -> rank.get("referenced_kv_blocks").asInt() == 0));
        assertThat(ranks.size()).isEqualTo(RANKS);
        say("answered %d, left by their clients %d; KV blocks held on each rank: %s of %s", outcome.whole(), outcome.left(),
                ranks.valueStream().map(rank -> rank.get("referenced_kv_blocks").asInt()).toList(),
                ranks.valueStream().map(rank -> rank.get("kv_blocks").asInt()).toList());
    }

    private static List<Held> held(UnitProcess unit, Path model) throws IOException {
        List<Held> held = new ArrayList<>();
        for (int rank = 0; rank < RANKS; rank++) {
            held.add(Held.by(unit.rank(rank), model));
        }
        return held;
    }

    private static void say(String form, Object... values) {
        System.out.println("load: " + String.format(Locale.ROOT, form, values));
    }
}
