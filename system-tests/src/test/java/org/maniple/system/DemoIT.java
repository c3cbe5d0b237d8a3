package org.maniple.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** The model that comes with the distribution, spread over four ranks: what somebody sees who starts it and talks to it. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DemoIT {

    private final Distribution distribution = Distribution.find();
    private UnitProcess unit;
    private Api api;

    @BeforeAll
    void start(@TempDir Path folder) {
        unit = UnitProcess.ready(distribution, spec(), folder);
        api = unit.api();
    }

    @AfterAll
    void stop() {
        unit.close();
    }

    private UnitSpec spec() {
        return UnitSpec.of(distribution.demoModel()).with("served-model-name", "demo")
                .with("data-parallel-size", 2).with("tensor-parallel-size", 2).with("enable-dp-attention", true)
                .with("enable-expert-parallel", true).with("all2all-backend", "direct");
    }

    @Test
    void startShowsAPluginOnEachLine() {
        assertThat(unit.output().lines()).filteredOn(line -> line.startsWith("plugin ")).hasSizeGreaterThanOrEqualTo(8)
                .anyMatch(line -> line.startsWith("plugin model-deepseek "))
                .anyMatch(line -> line.startsWith("plugin parallel-dp ")).anyMatch(line -> line.startsWith("plugin moe-ep "))
                .anyMatch(line -> line.startsWith("plugin transport-tcp "));
    }

    @Test
    void startShowsWhereEachRankStandsOnTheGrid() {
        assertThat(unit.output().lines()).containsSubsequence(
                "rank 0 on node 0  dp=0 pp=0 tp=0", "rank 1 on node 0  dp=0 pp=0 tp=1", "rank 2 on node 0  dp=1 pp=0 tp=0",
                "rank 3 on node 0  dp=1 pp=0 tp=1");
    }

    @Test
    void startShowsHowFarLoadingHasCome() {
        List<String> loading = unit.output().lines().stream().filter(line -> line.startsWith("loading weights: ")).toList();

        assertThat(loading).isNotEmpty();
        assertThat(loading.getLast()).startsWith("loading weights: 100 % of ");
    }

    @Test
    void startEndsWithTheNameOfTheModelAndTheUrl() {
        URI url = unit.awaitReady();

        assertThat(unit.output().lines()).contains("ready: demo at " + url);
        assertThat(url.getHost()).isEqualTo("127.0.0.1");
    }

    @Test
    void healthIsGood() throws IOException {
        assertThat(api.ask("/health").status()).isEqualTo(200);
        assertThat(api.get("/health/ready").get("ready").asBoolean()).isTrue();
    }

    @Test
    void theModelIsListedByItsName() {
        assertThat(api.get("/v1/models").get("data").valueStream().map(model -> model.get("id").asString()))
                .containsExactly("demo");
    }

    @Test
    void theClusterShowsFourRanksOfDifferentProcessesAndTheirLinks() {
        JsonNode cluster = api.get("/v1/cluster");

        assertThat(cluster.get("ready").asBoolean()).isTrue();
        assertThat(cluster.get("ranks").valueStream().map(rank -> rank.get("coordinates").toString())).containsExactly(
                "{\"dp\":0,\"pp\":0,\"tp\":0}", "{\"dp\":0,\"pp\":0,\"tp\":1}", "{\"dp\":1,\"pp\":0,\"tp\":0}",
                "{\"dp\":1,\"pp\":0,\"tp\":1}");
        assertThat(cluster.get("ranks").valueStream().map(rank -> rank.get("pid").asLong())).doesNotHaveDuplicates()
                .allMatch(pid -> unit.launcher().descendants().anyMatch(process -> process.pid() == pid));
        assertThat(cluster.get("links").valueStream().map(link -> link.get("from").asInt() + " to " + link.get("to").asInt()))
                .contains("0 to 1", "1 to 0", "2 to 3", "3 to 2");
        assertThat(cluster.get("configuration").get("tensor-parallel-size").asString()).isEqualTo("2");
    }

    @Test
    void theClusterShowsTwoGroupsWithRequestsOfTheirOwn() {
        assertThat(api.get("/v1/cluster").get("homes").valueStream().map(home -> home.get("home").asInt())).containsExactly(0, 1);
    }

    @Test
    void theClusterCountsWhatRanksSendToExpertsOnOthers() {
        Expected.Prompt chat = chats().findFirst().orElseThrow();
        api.post("/v1/chat/completions", request(chat));

        // Ranks tell rank 0 with their heartbeats.
        assertThat(sent("dispatched_bytes")).as("dispatched").isPositive();
        assertThat(sent("combined_bytes")).as("combined").isPositive();
    }

    @Test
    void theMetricsTellOfEveryRankAndLink() {
        api.post("/v1/chat/completions", request(chats().findFirst().orElseThrow()));

        assertThat(metric("vllm:generation_tokens_total", "model_name=\"demo\"")).isPositive();
        for (int rank = 0; rank < 4; rank++) {
            String own = "phase=\"compute\",rank=\"" + rank + "\"";
            // Ranks tell rank 0 with their heartbeats.
            assertThat(Poll.until(() -> metric("maniple:rank_step_seconds_total", own), seconds -> seconds > 0)).isPositive();
        }
        assertThat(metric("maniple:link_bytes_total", "dst=\"3\",src=\"2\"")).isPositive();
    }

    /** The sum of the samples with some labels. */
    private double metric(String name, String labels) {
        try {
            String sample = "(?m)^" + name + "\\{[^}]*" + labels + "[^}]*} (\\S+)$";
            return Pattern.compile(sample).matcher(api.ask("/metrics").body()).results()
                    .mapToDouble(found -> Double.parseDouble(found.group(1))).sum();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private long sent(String what) {
        return Poll.until(
                () -> api.get("/v1/cluster").get("ranks").valueStream().mapToLong(rank -> rank.get(what).asLong()).sum(),
                bytes -> bytes > 0);
    }

    @Test
    void noRankHoldsMoreThanAThirdOfTheModel() {
        JsonNode ranks = api.get("/v1/cluster").get("ranks");
        long whole = distribution.demoModel().resolve("model.safetensors").toFile().length();

        // A quarter of the experts, of the dense layer and of the vocabulary, and half of attention, of which each group has a copy.
        assertThat(ranks.valueStream().map(rank -> rank.get("weight_bytes").asLong()))
                .allMatch(bytes -> bytes > whole / 4 && bytes < whole / 3);
    }

    @Test
    void chatsThroughTheTemplateGiveTheExpectedTexts() {
        List<Expected.Prompt> chats = chats().toList();

        assertThat(chats).hasSizeGreaterThan(10);
        for (Expected.Prompt chat : chats) {
            JsonNode choice = api.post("/v1/chat/completions", request(chat)).get("choices").get(0);
            assertThat(choice.get("message").get("content").asString()).isEqualTo(chat.json().get("output_text").asString());
            assertThat(choice.get("finish_reason").asString()).isEqualTo(endsByItself(chat) ? "stop" : "length");
        }
    }

    @Test
    void aStreamSaysTheSameAsTheWholeReply() {
        for (Expected.Prompt chat : chats().limit(4).toList()) {
            Map<String, Object> request = request(chat);
            request.put("stream", true);
            EventStream.Whole stream = api.stream("/v1/chat/completions", request).rest(UnitProcess.END);

            assertThat(stream.chatText()).isEqualTo(chat.json().get("output_text").asString());
            assertThat(stream.events()).as("token by token").hasSizeGreaterThan(10);
            assertThat(stream.done()).isTrue();
            assertThat(stream.problem()).isEmpty();
        }
    }

    /** {@link LoadIT} does it with a thousand, and looks at the memory too. */
    @Test
    void streamsThatTheirClientsLeaveLeaveNoBlockBehindOnAnyRank() throws InterruptedException {
        StreamLoad.Outcome outcome = new StreamLoad(unit.awaitReady(), 16, 16, 256).run(50, 1);

        assertThat(outcome.problems()).isEmpty();
        assertThat(outcome.whole()).isEqualTo(45);
        assertThat(outcome.left()).isEqualTo(5);
        assertThat(Poll.until(() -> referencedBlocks(), blocks -> blocks.stream().allMatch(count -> count == 0)))
                .containsExactly(0, 0, 0, 0);
    }

    private List<Integer> referencedBlocks() {
        return api.get("/v1/cluster").get("ranks").valueStream().map(rank -> rank.get("referenced_kv_blocks").asInt()).toList();
    }

    @Test
    void aPromptOnTheCommandLineIsAnsweredAsAStreamAndEndsTheUnit(@TempDir Path folder) {
        Expected.Prompt chat = chats().filter(prompt -> prompt.json().get("messages").size() == 1 && endsByItself(prompt))
                .findFirst()
                .orElseThrow();
        String question = chat.json().get("messages").get(0).get("content").asString();
        String answer = chat.json().get("output_text").asString();
        try (UnitProcess answering = UnitProcess.launch(distribution,
                spec().flags("--prompt", question, "--exit-after-prompt", "true"), folder)) {
            assertThat(answering.exitCode(UnitProcess.START)).as(answering.output().text()).isZero();
            assertThat(answering.output().text()).contains("> " + question).contains(answer);
            assertThat(answering.output().parts()).as("the answer comes bit by bit").noneMatch(part -> part.contains(answer));
            assertThat(answering.output().await(Pattern.compile("(?m)^ready:"), UnitProcess.END)).as("nothing is served")
                    .isEmpty();
        }
    }

    private static Stream<Expected.Prompt> chats() {
        return Oracles.find("demo-moe").expected().prompts().stream().filter(prompt -> prompt.json().has("messages"));
    }

    private static boolean endsByItself(Expected.Prompt chat) {
        return chat.json().get("output_ids_until_end").size() < chat.output().size();
    }

    private static Map<String, Object> request(Expected.Prompt chat) {
        return new HashMap<>(Map.of("model", "demo", "messages", chat.json().get("messages"), "temperature", 0,
                "max_tokens", chat.output().size()));
    }
}
