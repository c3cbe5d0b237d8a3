package org.maniple.serve.openai;

import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.MetricMetadata;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.maniple.api.engine.EndedRequest;
import org.maniple.api.engine.EngineObserver;
import org.maniple.serve.openai.EngineSeries.Distribution;

/**
 * What has happened to requests, under vLLM's names. To observe allocates nothing but for requests that end. Safe for use by several threads.
 */
final class RequestMetrics implements EngineObserver {

    private static final String[] REASONS = {"stop", "length", "abort", "error"};

    private final EngineSeries series;
    private final CounterDataPoint[] promptTokens;
    private final CounterDataPoint[] generationTokens;
    private final CounterDataPoint[][] ended;
    private final CounterDataPoint[][] rejections;
    private final Distribution stepTokens;
    private final Distribution firstToken;
    private final Distribution nextToken;
    private final Distribution total;
    private final Distribution queue;
    private final Distribution inference;
    private final Distribution prefill;
    private final Distribution decode;
    private final Distribution perToken;
    private final Distribution promptLengths;
    private final Distribution outputLengths;
    private final Distribution longestOutputs;
    private final Distribution maxTokens;
    private final Distribution choices;
    private final AtomicReference<@Nullable PrefixCounters> prefixes = new AtomicReference<>();
    private final AtomicReference<CounterDataPoint @Nullable []> preemptions = new AtomicReference<>();

    /** Counters of a cache of prefixes. */
    private record PrefixCounters(CounterDataPoint[] queries, CounterDataPoint[] hits, CounterDataPoint[] oldQueries,
            CounterDataPoint[] oldHits, CounterDataPoint[] cached) {}

    RequestMetrics(PrometheusRegistry registry, String model, int engines, int maxModelLength) {
        series = new EngineSeries(registry, model, engines);
        promptTokens = series.counter("vllm:prompt_tokens_total", "Number of prefill tokens processed.");
        generationTokens = series.counter("vllm:generation_tokens_total", "Number of generation tokens processed.");
        ended = series.counter("vllm:request_success_total", "Count of successfully processed requests.", "finished_reason",
                REASONS);
        rejections = series.counter("vllm:admission_rejections_total", "Requests that were refused because too much waits.",
                "reason", "max_num_queued_reqs", "max_num_queued_tokens");
        stepTokens = series.histogram("vllm:iteration_tokens_total", "Histogram of number of tokens per engine_step.",
                Buckets.step());
        firstToken = series.histogram("vllm:time_to_first_token_seconds", "Histogram of time to first token in seconds.",
                Buckets.firstToken());
        nextToken = series.histogram("vllm:inter_token_latency_seconds", "Histogram of inter-token latency in seconds.",
                Buckets.nextToken());
        perToken = series.histogram("vllm:request_time_per_output_token_seconds",
                "Histogram of mean time per output token of a request in seconds.", Buckets.nextToken());
        total = series.histogram("vllm:e2e_request_latency_seconds", "Histogram of e2e request latency in seconds.",
                Buckets.request());
        queue = series.histogram("vllm:request_queue_time_seconds",
                "Histogram of time spent in WAITING phase for request.", Buckets.request());
        inference = series.histogram("vllm:request_inference_time_seconds",
                "Histogram of time spent in RUNNING phase for request.", Buckets.request());
        prefill = series.histogram("vllm:request_prefill_time_seconds",
                "Histogram of time spent in PREFILL phase for request.", Buckets.request());
        decode = series.histogram("vllm:request_decode_time_seconds",
                "Histogram of time spent in DECODE phase for request.", Buckets.request());
        double[] lengths = Buckets.tokens(maxModelLength);
        promptLengths = series.histogram("vllm:request_prompt_tokens", "Number of prefill tokens processed.", lengths);
        outputLengths = series.histogram("vllm:request_generation_tokens", "Number of generation tokens processed.", lengths);
        longestOutputs = series.histogram("vllm:request_max_num_generation_tokens",
                "Histogram of maximum number of requested generation tokens.", lengths);
        maxTokens = series.histogram("vllm:request_params_max_tokens", "Histogram of the max_tokens request parameter.", lengths);
        choices = series.histogram("vllm:request_params_n", "Histogram of the n request parameter.", Buckets.choices());
        registry.register((MultiCollector) () -> oldNames(nextToken.histogram()));
    }

    /** Names that vLLM had before, and that dashboards still ask for. */
    private static MetricSnapshots oldNames(Histogram nextToken) {
        var old = new MetricMetadata("vllm:time_per_output_token_seconds", "The old name of vllm:inter_token_latency_seconds.");
        return MetricSnapshots.of(
                new HistogramSnapshot(old, nextToken.collect().getDataPoints()));
    }

    @Override
    public void step(int home, int tokens) {
        stepTokens.observe(home, tokens);
    }

    @Override
    public void firstToken(int home, int length, long nanos) {
        promptTokens[home].inc(length);
        generationTokens[home].inc();
        firstToken.observeNanos(home, nanos);
    }

    @Override
    public void nextToken(int home, long nanos) {
        generationTokens[home].inc();
        nextToken.observeNanos(home, nanos);
    }

    /**
     * The series appear with the first call: without a cache of prefixes there is nothing that they could say. An engine that has one calls this for
     * every request.
     */
    @Override
    public void prefixLookup(int home, int tokens, int found) {
        PrefixCounters counters = prefixes.get();
        if (counters == null) {
            counters = makePrefixCounters();
        }
        counters.queries()[home].inc(tokens);
        counters.oldQueries()[home].inc(tokens);
        counters.hits()[home].inc(found);
        counters.oldHits()[home].inc(found);
        counters.cached()[home].inc(found);
    }

    private synchronized PrefixCounters makePrefixCounters() {
        PrefixCounters known = prefixes.get();
        if (known == null) {
            known = new PrefixCounters(
                    series.counter("vllm:prefix_cache_queries_total", "Prefix cache queries, in terms of number of queried tokens."),
                    series.counter("vllm:prefix_cache_hits_total", "Prefix cache hits, in terms of number of cached tokens."),
                    series.counter("vllm:gpu_prefix_cache_queries_total", "The old name of vllm:prefix_cache_queries."),
                    series.counter("vllm:gpu_prefix_cache_hits_total", "The old name of vllm:prefix_cache_hits."),
                    series.counter("vllm:prompt_tokens_cached_total", "Number of prompt tokens that need not be computed."));
            prefixes.set(known);
        }
        return known;
    }

    /** The series appears with the first call. */
    @Override
    public void preempted(int home) {
        CounterDataPoint[] counter = preemptions.get();
        if (counter == null) {
            counter = makePreemptions();
        }
        counter[home].inc();
    }

    private synchronized CounterDataPoint[] makePreemptions() {
        CounterDataPoint[] known = preemptions.get();
        if (known == null) {
            known = series.counter("vllm:num_preemptions_total", "Cumulative number of preemption from the engine.");
            preemptions.set(known);
        }
        return known;
    }

    /** The queue belongs to all engines, so the first one stands for them. */
    @Override
    public void rejected(String limit) {
        rejections[limit.equals("max-num-queued-tokens") ? 1 : 0][0].inc();
    }

    @Override
    public void ended(EndedRequest request) {
        int home = request.home();
        ended[reason(request)][home].inc();
        total.observeNanos(home, request.totalNanos());
        request.queueNanos().ifPresent(nanos -> queue.observeNanos(home, nanos));
        request.prefillNanos().ifPresent(nanos -> prefill.observeNanos(home, nanos));
        request.decodeNanos().ifPresent(nanos -> {
            decode.observeNanos(home, nanos);
            inference.observeNanos(home, nanos + request.prefillNanos().orElse(0));
            if (request.outputTokens() > 1) {
                perToken.observe(home, nanos / 1e9 / (request.outputTokens() - 1));
            }
        });
        promptLengths.observe(home, request.promptTokens());
        outputLengths.observe(home, request.outputTokens());
        request.maxTokens().ifPresent(most -> maxTokens.observe(home, most));
    }

    private static int reason(EndedRequest request) {
        return request.reason().map(reason -> switch (reason) {
            case STOP -> 0;
            case LENGTH -> 1;
            case ABORT -> 2;
        }).orElse(3);
    }

    /**
     * A client's request has ended, all its choices together. They may have been computed by several engines; the first one stands for them.
     *
     * @param count how many choices it had
     * @param longest tokens of the longest one
     */
    void answered(int count, int longest) {
        choices.observe(0, count);
        longestOutputs.observe(0, longest);
    }
}
