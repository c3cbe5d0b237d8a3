package org.maniple.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/**
 * Layers as wide as those of DeepSeek-V3, with all 256 experts, on four ranks of this machine. Needs 13 GB on a disk and 16 GB of memory, and
 * several minutes; so it only runs if asked to, by {@code -Pfull-width}, or {@code -Dmaniple.fullwidth=true}. The checkpoint is made in
 * {@code -Dmaniple.fullwidth.folder}, or where temporary files are, and removed.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FullWidthIT {

    private static final long DISK = 13_500_000_000L;
    private static final int RANKS = 4;
    private static final int BLOCK = 16;
    private static final Duration REPLY = Duration.ofMinutes(9);
    /** The heap holds no weights; a small one leaves the memory to them. */
    private static final Map<String, String> JVM = Map.of("JDK_JAVA_OPTIONS", "-Xmx256m " + RankMemory.TRACKING);
    /** All of an expert: three matrices of 7168 × 2048 bytes. */
    private static final long EXPERT_BYTES = 3L * 7168 * 2048;
    private static final Pattern SHARE = Pattern
            .compile("(?m)^ +[\\d,]+ +[\\d,]+ +([\\d,]+) +([\\d,]+) +rank (.+)$");
    private static final Pattern BLOCKS = Pattern.compile("# CPU blocks: (\\d+)");

    private Path folder;
    private Path model;
    private Distribution distribution;

    /** What {@code plan} says about a rank. */
    private record Share(long loaded, long kvPerToken) {}

    @BeforeAll
    void makeCheckpoint() throws IOException {
        Assumptions.assumeTrue(Boolean.getBoolean("maniple.fullwidth"),
                "writes and loads 12.6 GB; to run it, give -Pfull-width or -Dmaniple.fullwidth=true");
        distribution = Distribution.find();
        Path parent = Path.of(System.getProperty("maniple.fullwidth.folder", System.getProperty("java.io.tmpdir")));
        long free = Files.getFileStore(parent).getUsableSpace();
        assertThat(free).as("free bytes in %s; give another -Dmaniple.fullwidth.folder", parent).isGreaterThan(DISK);
        folder = Files.createTempDirectory(parent, "full-width");
        model = Files.createDirectory(folder.resolve("model")).toRealPath();
        long begin = System.nanoTime();
        long bytes = FullWidthCheckpoint.write(model);
        say("%,d bytes written in %.0f s", bytes, seconds(begin));
    }

    @AfterAll
    void removeCheckpoint() throws IOException {
        if (folder != null) {
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    static List<List<String>> layouts() {
        return List.of(
                List.of("--data-parallel-size", "2", "--tensor-parallel-size", "2", "--enable-dp-attention",
                        "--enable-expert-parallel"),
                List.of("--tensor-parallel-size", "4", "--enable-expert-parallel"));
    }

    @ParameterizedTest
    @MethodSource("layouts")
    void ranksHoldWhatThePlanSaysAndGenerate(List<String> layout) throws IOException {
        List<Share> shares = plan(layout);
        long begin = System.nanoTime();
        try (UnitProcess unit = serve(layout, List.of())) {
            var api = new Api(unit.awaitReady(), REPLY);
            say("%s: ready after %.0f s", String.join(" ", layout), seconds(begin));
            generate(api);
            compare(unit, api, shares);
        }
    }

    /** Cuts of FP8 blocks, the experts' places and the back end differ between them. */
    @Test
    void exactNumericsHaveTheSameBitsOnBothLayouts() {
        List<Integer> prompt = prompt(new SplittableRandom(16), 16);
        var replies = new ArrayList<JsonNode>();
        for (List<String> layout : layouts()) {
            try (UnitProcess unit = serve(layout, List.of("--numerics", "exact", "--all2all-backend", "direct"))) {
                replies.add(new Api(unit.awaitReady(), REPLY).post("/v1/completions", Map.of("prompt", prompt, "max_tokens", 4,
                        "temperature", 0, "ignore_eos", true, "return_token_ids", true, "logprobs", 5)).get("choices").get(0));
            }
        }
        say("exact: tokens %s, log-probabilities %s", replies.getFirst().get("token_ids"),
                replies.getFirst().get("logprobs").get("token_logprobs"));
        assertThat(replies.getFirst().get("token_ids").size()).isEqualTo(4);
        assertThat(replies.getLast().get("token_ids")).isEqualTo(replies.getFirst().get("token_ids"));
        assertThat(replies.getLast().get("logprobs")).isEqualTo(replies.getFirst().get("logprobs"));
    }

    private UnitProcess serve(List<String> layout, List<String> more) {
        var words = new ArrayList<>(List.of("serve", model.toString(), "--served-model-name", "wide", "--skip-tokenizer-init",
                "--port", "0", "--max-model-len", "1024", "--max-num-seqs", "4", "--max-num-batched-tokens", "64",
                "--kv-cache-memory-bytes", "64MiB", "--threads", "1"));
        words.addAll(layout);
        words.addAll(more);
        return UnitProcess.start(distribution.command(words), JVM, folder, String.join(" ", words));
    }

    private List<Share> plan(List<String> layout) {
        var words = new ArrayList<>(List.of("plan", model.toString(), "--ranks-per-node", Integer.toString(RANKS),
                "--memory-limit", "8GiB", "--max-model-len", "1024", "--max-num-seqs", "4"));
        words.addAll(layout);
        Matcher share = SHARE.matcher(Command.maniple(distribution, words.toArray(String[]::new)).succeeded().text());
        var shares = new TreeMap<Integer, Share>();
        while (share.find()) {
            for (String range : share.group(3).split(", *")) {
                String[] ends = range.split("-", 2);
                for (int rank = Integer.parseInt(ends[0]); rank <= Integer.parseInt(ends[ends.length - 1]); rank++) {
                    shares.put(rank, new Share(number(share.group(1)), number(share.group(2))));
                }
            }
        }
        assertThat(shares).containsOnlyKeys(IntStream.range(0, RANKS).boxed().toList());
        return List.copyOf(shares.values());
    }

    /** Enough tokens for nearly every expert to be visited, and some of them twice: the same prompt has the same continuation. */
    private static void generate(Api api) {
        var random = new SplittableRandom(256);
        List<Integer> prompt = prompt(random, 64);
        List<Integer> first = ask(api, prompt, 8);
        assertThat(first).hasSize(8).allMatch(token -> token >= 0 && token < FullWidthCheckpoint.VOCABULARY);
        assertThat(first.stream().distinct().count()).as("different tokens in %s", first).isGreaterThan(2);
        for (int i = 0; i < 3; i++) {
            ask(api, prompt(random, 64), 1);
        }
        long begin = System.nanoTime();
        assertThat(ask(api, prompt, 1)).isEqualTo(first.subList(0, 1));
        double prefill = seconds(begin);
        begin = System.nanoTime();
        assertThat(ask(api, prompt, 8)).isEqualTo(first);
        double all = seconds(begin);
        say("  prompt of 64 tokens: %.1f s; then %.2f tokens/s; tokens %s", prefill, 7 / (all - prefill), first);
    }

    private static List<Integer> prompt(SplittableRandom random, int length) {
        return random.ints(length, 2, FullWidthCheckpoint.VOCABULARY).boxed().toList();
    }

    private static List<Integer> ask(Api api, List<Integer> prompt, int tokens) {
        JsonNode reply = api.post("/v1/completions",
                Map.of("prompt", prompt, "max_tokens", tokens, "temperature", 0, "ignore_eos",
                        true, "return_token_ids", true));
        return reply.get("choices").get(0).get("token_ids").valueStream().map(JsonNode::asInt).toList();
    }

    private void compare(UnitProcess unit, Api api, List<Share> shares) throws IOException {
        Matcher blocks = unit.await(BLOCKS, Duration.ofSeconds(1));
        long positions = BLOCK * Long.parseLong(blocks.group(1));
        JsonNode ranks = api.get("/v1/cluster").get("ranks");
        assertThat(ranks.size()).isEqualTo(RANKS);
        for (int rank = 0; rank < RANKS; rank++) {
            Share share = shares.get(rank);
            long weights = ranks.get(rank).get("weight_bytes").asLong();
            long planned = share.loaded() + positions * share.kvPerToken();
            RankMemory memory = RankMemory.of(ranks.get(rank).get("pid").asLong(), model);
            say("  rank %d: planned %,d weights + %,d KV cache; loaded %,d weights; %s", rank, share.loaded(),
                    positions * share.kvPerToken(), weights, memory);
            assertThat(weights).as("weights of rank %d", rank).isEqualTo(share.loaded());
            assertThat(memory.mapped() + memory.outside()).as("mapped and allocated by rank %d", rank).isCloseTo(planned,
                    withinPercentage(5));
            assertThat(memory.mapped()).as("experts are used where their files are mapped")
                    .isGreaterThan(FullWidthCheckpoint.EXPERTS / RANKS * EXPERT_BYTES);
            assertThat(memory.mappedResident()).as("what rank %d has read of its weights", rank).isCloseTo(memory.mapped(),
                    withinPercentage(10));
        }
    }

    private static long number(String text) {
        return Long.parseLong(text.replace(",", ""));
    }

    private static double seconds(long since) {
        return (System.nanoTime() - since) / 1e9;
    }

    private static void say(String format, Object... values) {
        System.out.printf(Locale.ROOT, format + "%n", values);
    }
}
