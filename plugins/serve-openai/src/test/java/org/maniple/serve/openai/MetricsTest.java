package org.maniple.serve.openai;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.maniple.api.engine.EndedRequest;
import org.maniple.api.engine.GenerationEvent.FinishReason;
import org.maniple.api.engine.UnitStatus.StepTimes;
import org.maniple.serve.openai.TestServer.Answer;

class MetricsTest {

    private static final String ENGINE_0 = "{engine=\"0\",model_name=\"/models/toy\"}";
    private static final String ENGINE_1 = "{engine=\"1\",model_name=\"/models/toy\"}";
    private static final long MILLISECOND = 1_000_000;

    private final FakeEngine engine = new FakeEngine();
    private final TestServer server = new TestServer(engine);

    @AfterEach
    void close() {
        server.close();
    }

    private Scrape scrape() {
        return scrape(server);
    }

    private static Scrape scrape(TestServer from) {
        return new Scrape(from.get("/metrics").body());
    }

    private static EndedRequest ended(int home, Optional<FinishReason> reason) {
        return new EndedRequest("one", home, reason, 20, 5, OptionalInt.of(64), 900 * MILLISECOND,
                OptionalLong.of(100 * MILLISECOND), OptionalLong.of(300 * MILLISECOND), OptionalLong.of(400 * MILLISECOND));
    }

    private static String dashboard() throws IOException {
        return Files.readString(Path.of(System.getProperty("maniple.top"), "docs/grafana/maniple.json"));
    }

    @Test
    void areWrittenInTheTextFormatOfPrometheus() {
        Answer answer = server.get("/metrics");

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.header("content-type")).isEqualTo("text/plain; version=0.0.4; charset=utf-8");
        assertThat(scrape().names()).hasSizeGreaterThan(50);
    }

    @ParameterizedTest
    @CsvSource({"vllm:num_requests_running, gauge", "vllm:num_requests_waiting, gauge", "vllm:kv_cache_usage_perc, gauge",
        "vllm:cache_config_info, gauge", "vllm:prompt_tokens_total, counter", "vllm:generation_tokens_total, counter",
        "vllm:request_success_total, counter", "vllm:iteration_tokens_total, histogram",
        "vllm:time_to_first_token_seconds, histogram", "vllm:inter_token_latency_seconds, histogram",
        "vllm:e2e_request_latency_seconds, histogram", "vllm:request_time_per_output_token_seconds, histogram",
        "maniple:rank_step_seconds_total, counter", "maniple:link_bytes_total, counter", "maniple:stage_busy_ratio, gauge"})
    void haveTheTypesThatDashboardsExpect(String family, String type) {
        assertThat(scrape().type(family)).isEqualTo(type);
    }

    @Test
    void showWhatTheProductionStackAndLlmdAskFor() {
        // Names of series in the boards and routers, as they are written there.
        assertThat(scrape().names()).contains("vllm:e2e_request_latency_seconds_bucket", "vllm:e2e_request_latency_seconds_sum",
                "vllm:e2e_request_latency_seconds_count", "vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc",
                "vllm:time_to_first_token_seconds_bucket", "vllm:time_to_first_token_seconds_sum",
                "vllm:time_to_first_token_seconds_count", "vllm:request_time_per_output_token_seconds_sum",
                "vllm:request_time_per_output_token_seconds_count", "vllm:time_per_output_token_seconds_sum",
                "vllm:time_per_output_token_seconds_count", "vllm:num_requests_waiting", "vllm:num_requests_running",
                "vllm:gpu_prefix_cache_hits_total", "vllm:gpu_prefix_cache_queries_total", "vllm:prefix_cache_hits_total",
                "vllm:prefix_cache_queries_total", "vllm:request_success_total", "vllm:request_queue_time_seconds_sum",
                "vllm:request_prefill_time_seconds_sum", "vllm:request_decode_time_seconds_sum",
                "vllm:request_prompt_tokens_bucket", "vllm:request_generation_tokens_bucket", "vllm:prompt_tokens_total",
                "vllm:generation_tokens_total", "vllm:cache_config_info");
    }

    @Test
    void countTokensAndTheirTimes() {
        engine.observer.firstToken(0, 100, 250 * MILLISECOND);
        engine.observer.nextToken(0, 60 * MILLISECOND);
        engine.observer.nextToken(0, 40 * MILLISECOND);
        engine.observer.step(0, 512);
        engine.observer.firstToken(1, 7, 3 * MILLISECOND);

        Scrape scrape = scrape();
        assertThat(scrape.value("vllm:prompt_tokens_total" + ENGINE_0)).isEqualTo(100);
        assertThat(scrape.value("vllm:prompt_tokens_total" + ENGINE_1)).isEqualTo(7);
        assertThat(scrape.value("vllm:generation_tokens_total" + ENGINE_0)).isEqualTo(3);
        assertThat(scrape.value("vllm:time_to_first_token_seconds_sum" + ENGINE_0)).isEqualTo(0.25);
        assertThat(scrape.value("vllm:inter_token_latency_seconds_count" + ENGINE_0)).isEqualTo(2);
        assertThat(scrape.value("vllm:inter_token_latency_seconds_sum" + ENGINE_0)).isEqualTo(0.1);
        assertThat(scrape.value("vllm:time_per_output_token_seconds_count" + ENGINE_0)).as("the old name").isEqualTo(2);
        assertThat(scrape.value("vllm:iteration_tokens_total_bucket{engine=\"0\",le=\"512.0\",model_name=\"/models/toy\"}"))
                .isEqualTo(1);
        assertThat(scrape.value("vllm:iteration_tokens_total_bucket{engine=\"0\",le=\"256.0\",model_name=\"/models/toy\"}"))
                .isZero();
    }

    @Test
    void countGuessedTokensByTheirPlaces() {
        try (var guessing = new FakeEngine()) {
            guessing.guessed = 3;
            try (var other = new TestServer(guessing)) {
                guessing.observer.speculated(0, 3, 2);
                guessing.observer.speculated(0, 2, 0);
                guessing.observer.speculated(0, 3, 3);

                Scrape scrape = scrape(other);
                assertThat(scrape.value("vllm:spec_decode_num_drafts_total" + ENGINE_0)).isEqualTo(3);
                assertThat(scrape.value("vllm:spec_decode_num_draft_tokens_total" + ENGINE_0)).isEqualTo(8);
                assertThat(scrape.value("vllm:spec_decode_num_accepted_tokens_total" + ENGINE_0)).isEqualTo(5);
                String place = "vllm:spec_decode_num_accepted_tokens_per_pos_total{engine=\"0\",model_name=\"/models/toy\",position=\"%d\"}";
                assertThat(Stream.of(0, 1, 2).map(i -> scrape.value(place.formatted(i)))).containsExactly(2.0, 2.0, 1.0);
            }
        }
        assertThat(scrape().names()).as("where nothing is guessed").noneMatch(name -> name.contains("spec_decode"));
    }

    @Test
    void countRequestsByTheirEndsWithTheTimesOfTheirPhases() {
        engine.observer.ended(ended(0, Optional.of(FinishReason.STOP)));
        engine.observer.ended(ended(0, Optional.empty()));
        engine.observer.ended(new EndedRequest("two", 0, Optional.of(FinishReason.ABORT), 20, 0, OptionalInt.empty(),
                100 * MILLISECOND, OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty()));

        Scrape scrape = scrape();
        String success = "vllm:request_success_total{engine=\"0\",finished_reason=\"%s\",model_name=\"/models/toy\"}";
        assertThat(Stream.of("stop", "length", "abort", "error").map(reason -> scrape.value(success.formatted(reason))))
                .containsExactly(1.0, 0.0, 1.0, 1.0);
        assertThat(scrape.value("vllm:e2e_request_latency_seconds_count" + ENGINE_0)).isEqualTo(3);
        assertThat(scrape.value("vllm:request_queue_time_seconds_count" + ENGINE_0)).as("one never began").isEqualTo(2);
        assertThat(scrape.value("vllm:request_queue_time_seconds_sum" + ENGINE_0)).isEqualTo(0.2);
        assertThat(scrape.value("vllm:request_prefill_time_seconds_sum" + ENGINE_0)).isEqualTo(0.6);
        assertThat(scrape.value("vllm:request_decode_time_seconds_sum" + ENGINE_0)).isEqualTo(0.8);
        assertThat(scrape.value("vllm:request_inference_time_seconds_sum" + ENGINE_0)).isEqualTo(1.4);
        assertThat(scrape.value("vllm:request_time_per_output_token_seconds_sum" + ENGINE_0)).isEqualTo(0.2);
        assertThat(scrape.value("vllm:request_prompt_tokens_sum" + ENGINE_0)).isEqualTo(60);
        assertThat(scrape.value("vllm:request_generation_tokens_sum" + ENGINE_0)).isEqualTo(10);
        assertThat(scrape.value("vllm:request_params_max_tokens_sum" + ENGINE_0)).isEqualTo(128);
    }

    @Test
    void countTheChoicesOfRequests() {
        assertThat(server.chat("\"n\":3,\"max_tokens\":4").status()).isEqualTo(200);

        Scrape scrape = scrape();
        assertThat(scrape.value("vllm:request_params_n_sum" + ENGINE_0)).isEqualTo(3);
        assertThat(scrape.value("vllm:request_params_n_count" + ENGINE_0)).isEqualTo(1);
        assertThat(scrape.value("vllm:request_max_num_generation_tokens_sum" + ENGINE_0)).isEqualTo(4);
    }

    @Test
    void haveVllmsBounds() {
        assertThat(bounds("vllm:time_to_first_token_seconds")).hasSize(23).startsWith(0.001, 0.005).endsWith(640.0, 2560.0,
                Double.POSITIVE_INFINITY);
        assertThat(bounds("vllm:e2e_request_latency_seconds")).hasSize(22).startsWith(0.3, 0.5).contains(7680.0);
        assertThat(bounds("vllm:inter_token_latency_seconds")).hasSize(20).startsWith(0.01, 0.025).contains(80.0);
        assertThat(bounds("vllm:request_prompt_tokens")).as("as far as a request may go")
                .containsExactly(1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, Double.POSITIVE_INFINITY);
    }

    private List<Double> bounds(String family) {
        return scrape().labels(family + "_bucket").stream().filter(labels -> labels.contains("engine=\"0\""))
                .map(labels -> Double.valueOf(labels.replaceAll(".*le=\"([^\"]*)\".*", "$1").replace("+Inf", "Infinity")))
                .sorted()
                .toList();
    }

    @Test
    void showRequestsAndBlocksOfEachEngine() {
        Scrape scrape = scrape();

        assertThat(scrape.value("vllm:num_requests_running" + ENGINE_0)).isEqualTo(2);
        assertThat(scrape.value("vllm:num_requests_waiting" + ENGINE_1)).isEqualTo(1);
        assertThat(scrape.value("vllm:num_requests_waiting_by_reason"
                + "{engine=\"1\",model_name=\"/models/toy\",reason=\"capacity\"}")).isEqualTo(1);
        assertThat(scrape.value("vllm:kv_cache_usage_perc" + ENGINE_0)).isEqualTo(3 / 32.0);
        assertThat(scrape.labels("vllm:cache_config_info"))
                .allMatch(labels -> labels.contains("num_gpu_blocks=\"32\"") && labels.contains("block_size="));
        assertThat(scrape.value("maniple:requests_admitted_total" + ENGINE_1)).isEqualTo(8);
    }

    @Test
    void showEveryRankAndLink() {
        Scrape scrape = scrape();

        String rank0 = "{engine=\"0\",phase=\"%s\",rank=\"0\",stage=\"0\"}";
        assertThat(Stream.of("compute", "communication", "waiting")
                .map(phase -> scrape.value("maniple:rank_step_seconds_total" + rank0.formatted(phase))))
                .containsExactly(5.0, 2.0, 1.0);
        assertThat(scrape.value("maniple:rank_steps_total{engine=\"0\",rank=\"0\",stage=\"0\"}")).isEqualTo(7);
        assertThat(scrape.value("maniple:rank_halved_steps_total{engine=\"0\",rank=\"0\",stage=\"0\"}")).isEqualTo(3);
        assertThat(scrape.value("maniple:rank_up{engine=\"0\",host=\"node-b\",rank=\"1\",stage=\"0\"}")).isEqualTo(1);
        assertThat(scrape.value("maniple:rank_memory_bytes{kind=\"kv_cache\",rank=\"0\"}")).isEqualTo(512);
        assertThat(scrape.value("maniple:rank_kv_blocks{engine=\"0\",rank=\"1\",stage=\"0\"}")).isEqualTo(32);
        assertThat(scrape.value("maniple:rank_kv_blocks_referenced{engine=\"0\",rank=\"1\",stage=\"0\"}")).isEqualTo(3);
        assertThat(scrape.value("maniple:link_bytes_total{dst=\"1\",src=\"0\",transport=\"tcp eth0 10.0.0.2\"}")).isEqualTo(77);
        assertThat(scrape.value("maniple:ep_balancedness{layer=\"1\"}")).isEqualTo(0.75);
        assertThat(scrape.value("maniple:eplb_rebalances_total")).isEqualTo(2);
        assertThat(scrape.value("maniple:unit_ready{model_name=\"/models/toy\"}")).isEqualTo(1);
    }

    @Test
    void showWhatTheSchedulerOfEachEngineHasDone() {
        Scrape scrape = scrape();
        assertThat(scrape.value("vllm:num_preemptions_total" + ENGINE_1)).isEqualTo(4);
        assertThat(scrape.value("vllm:num_preemptions_total" + ENGINE_0)).isZero();
        assertThat(scrape.value("vllm:prefix_cache_queries_total" + ENGINE_1)).isEqualTo(640);
        assertThat(scrape.value("vllm:prefix_cache_hits_total" + ENGINE_1)).isEqualTo(480);
        assertThat(scrape.value("vllm:prompt_tokens_cached_total" + ENGINE_1)).isEqualTo(480);
    }

    @Test
    void tellWhatWasRefusedAndWhatWaits() {
        String rejections = "vllm:admission_rejections_total{model_name=\"/models/toy\",reason=\"%s\"}";
        Scrape scrape = scrape();
        assertThat(scrape.value(rejections.formatted("max_num_queued_reqs"))).isEqualTo(5);
        assertThat(scrape.value(rejections.formatted("max_num_queued_tokens"))).isEqualTo(6);
        assertThat(scrape.value("maniple:waiting_tokens{model_name=\"/models/toy\"}")).isEqualTo(700);
    }

    @Test
    void ofAServerOfOneGroupAreThatGroupsAlone() {
        try (var group = new FakeEngine()) {
            group.home = OptionalInt.of(1);
            try (var other = new TestServer(group)) {
                Scrape scrape = scrape(other);
                assertThat(scrape.labels("vllm:num_requests_running")).containsExactly(ENGINE_1);
                assertThat(scrape.names()).as("rank 0's server tells these").noneMatch(name -> name.startsWith("maniple:rank_")
                        || name.startsWith("maniple:link_") || name.startsWith("vllm:time_to_first_token"));
            }
        }
    }

    @Test
    void needAKeyUnlessTheConfigurationSaysOtherwise() {
        Map<String, Object> key = Map.of("api-key", "secret");
        try (var guarded = new TestServer(new FakeEngine(), key, TestServer.LIMITS)) {
            assertThat(guarded.get("/metrics").status()).isEqualTo(401);
        }
        Map<String, Object> open = Map.of("api-key", "secret", "metrics-without-key", true);
        try (var opened = new TestServer(new FakeEngine(), open, TestServer.LIMITS)) {
            assertThat(opened.get("/metrics").status()).isEqualTo(200);
            assertThat(opened.get("/load").status()).as("all else").isEqualTo(401);
        }
    }

    @Test
    void toObserveATokenAllocatesNothing() {
        var metrics = new RequestMetrics("toy", 2, 4096, 4);
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long allocated = Long.MAX_VALUE;
        // The first rounds warm up; the JVM itself may allocate something once.
        for (int round = 0; round < 20 && allocated > 0; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 1000; i++) {
                metrics.step(i & 1, i);
                metrics.firstToken(i & 1, i, i * MILLISECOND);
                metrics.nextToken(i & 1, i * MILLISECOND);
                metrics.speculated(i & 1, 4, i & 3);
            }
            allocated = threads.getCurrentThreadAllocatedBytes() - before;
        }
        assertThat(allocated).isZero();
    }

    private void haveEverythingHappen() {
        engine.times = new StepTimes(8, 6_000_000_000L, 2_000_000_000L, 1_000_000_000L);
    }

    @Test
    void ofTheDashboardAreAllThere() throws IOException {
        haveEverythingHappen();
        var asked = Pattern.compile("(?:vllm|maniple):[a-z0-9_]+").matcher(dashboard()).results().map(match -> match.group())
                .collect(Collectors.toCollection(TreeSet::new));

        assertThat(asked).hasSizeGreaterThan(20);
        assertThat(scrape().names()).containsAll(asked);
    }

    @Test
    void ofTheDashboardAreAskedForByLabelsThatTheyHave() throws IOException {
        haveEverythingHappen();
        Scrape scrape = scrape();
        Pattern.compile("((?:vllm|maniple):[a-z0-9_]+)\\{([^}]*)}").matcher(dashboard()).results().forEach(use -> {
            for (String filter : use.group(2).split(",")) {
                String label = filter.split("[=!~]", 2)[0].strip();
                assertThat(scrape.labels(use.group(1))).as(use.group()).isNotEmpty()
                        .allMatch(labels -> labels.contains(label + "="));
            }
        });
    }
}
