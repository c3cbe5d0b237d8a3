package org.maniple.serve.openai;

import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.maniple.api.engine.EndedRequest;
import org.maniple.api.engine.EngineObserver;
import org.maniple.serve.openai.EngineSeries.Counter;
import org.maniple.serve.openai.EngineSeries.Histogram;

/**
 * What has happened to requests, under vLLM's names. To observe allocates nothing but for requests that end. Safe for use by several threads.
 */
final class RequestMetrics implements EngineObserver {

    private static final String[] REASONS = {"stop", "length", "abort", "error"};

    private final EngineSeries series;
    private final Counter promptTokens;
    private final Counter generationTokens;
    private final Counter ended;
    private final Histogram stepTokens;
    private final Histogram firstToken;
    private final Histogram nextToken;
    private final Histogram total;
    private final Histogram queue;
    private final Histogram inference;
    private final Histogram prefill;
    private final Histogram decode;
    private final Histogram perToken;
    private final Histogram promptLengths;
    private final Histogram outputLengths;
    private final Histogram longestOutputs;
    private final Histogram maxTokens;
    private final Histogram choices;
    /** Null where nothing is guessed: series that would always say 0 are left out, as vLLM does. */
    private final @Nullable Guesses guesses;

    /** What has become of guessed tokens; the last counter has one for each place. */
    private record Guesses(Counter drafts, Counter tokens, Counter accepted, Counter acceptedByPlace, int places) {

        static Guesses in(EngineSeries series, int places) {
            String[] positions = IntStream.range(0, places).mapToObj(Integer::toString).toArray(String[]::new);
            return new Guesses(series.counter("vllm:spec_decode_num_drafts_total", "Number of spec decoding drafts."),
                    series.counter("vllm:spec_decode_num_draft_tokens_total", "Number of draft tokens."),
                    series.counter("vllm:spec_decode_num_accepted_tokens_total", "Number of accepted tokens."),
                    series.counter("vllm:spec_decode_num_accepted_tokens_per_pos_total", "Accepted tokens per draft position.",
                            "position", positions),
                    places);
        }

        void add(int home, int drafted, int right) {
            drafts.add(home, 1);
            tokens.add(home, drafted);
            accepted.add(home, right);
            for (int place = 0; place < Math.min(right, places); place++) {
                acceptedByPlace.add(home, place, 1);
            }
        }
    }

    /** @param guessed how many tokens of an output are guessed at most; 0: none ever */
    RequestMetrics(String model, int engines, int maxModelLength, int guessed) {
        series = new EngineSeries(model, engines);
        promptTokens = series.counter("vllm:prompt_tokens_total", "Number of prefill tokens processed.");
        generationTokens = series.counter("vllm:generation_tokens_total", "Number of generation tokens processed.");
        ended = series.counter("vllm:request_success_total", "Count of successfully processed requests.", "finished_reason",
                REASONS);
        stepTokens = series.ofNumbers("vllm:iteration_tokens_total", "Histogram of number of tokens per engine_step.",
                Buckets.step());
        firstToken = series.ofTimes("vllm:time_to_first_token_seconds", "Histogram of time to first token in seconds.",
                Buckets.firstToken());
        nextToken = series.ofTimes("vllm:inter_token_latency_seconds", "Histogram of inter-token latency in seconds.",
                Buckets.nextToken());
        perToken = series.ofTimes("vllm:request_time_per_output_token_seconds",
                "Histogram of mean time per output token of a request in seconds.", Buckets.nextToken());
        total = series.ofTimes("vllm:e2e_request_latency_seconds", "Histogram of e2e request latency in seconds.",
                Buckets.request());
        queue = series.ofTimes("vllm:request_queue_time_seconds",
                "Histogram of time spent in WAITING phase for request.", Buckets.request());
        inference = series.ofTimes("vllm:request_inference_time_seconds",
                "Histogram of time spent in RUNNING phase for request.", Buckets.request());
        prefill = series.ofTimes("vllm:request_prefill_time_seconds",
                "Histogram of time spent in PREFILL phase for request.", Buckets.request());
        decode = series.ofTimes("vllm:request_decode_time_seconds",
                "Histogram of time spent in DECODE phase for request.", Buckets.request());
        double[] lengths = Buckets.tokens(maxModelLength);
        promptLengths = series.ofNumbers("vllm:request_prompt_tokens", "Number of prefill tokens processed.", lengths);
        outputLengths = series.ofNumbers("vllm:request_generation_tokens", "Number of generation tokens processed.", lengths);
        longestOutputs = series.ofNumbers("vllm:request_max_num_generation_tokens",
                "Histogram of maximum number of requested generation tokens.", lengths);
        maxTokens = series.ofNumbers("vllm:request_params_max_tokens", "Histogram of the max_tokens request parameter.", lengths);
        choices = series.ofNumbers("vllm:request_params_n", "Histogram of the n request parameter.", Buckets.choices());
        guesses = guessed > 0 ? Guesses.in(series, guessed) : null;
        // Dashboards still ask for it.
        series.alias("vllm:time_per_output_token_seconds", "The old name of vllm:inter_token_latency_seconds.", nextToken,
                Buckets.nextToken());
    }

    void write(Exposition out) {
        series.write(out);
    }

    @Override
    public void step(int home, int tokens) {
        stepTokens.observe(home, tokens);
    }

    @Override
    public void firstToken(int home, int length, long nanos) {
        promptTokens.add(home, length);
        generationTokens.add(home, 1);
        firstToken.observe(home, nanos);
    }

    @Override
    public void nextToken(int home, long nanos) {
        generationTokens.add(home, 1);
        nextToken.observe(home, nanos);
    }

    @Override
    public void speculated(int home, int tokens, int accepted) {
        Guesses counted = guesses;
        if (counted != null) {
            counted.add(home, tokens, accepted);
        }
    }

    @Override
    public void ended(EndedRequest request) {
        int home = request.home();
        ended.add(home, reason(request), 1);
        total.observe(home, request.totalNanos());
        request.queueNanos().ifPresent(nanos -> queue.observe(home, nanos));
        request.prefillNanos().ifPresent(nanos -> prefill.observe(home, nanos));
        request.decodeNanos().ifPresent(nanos -> {
            decode.observe(home, nanos);
            inference.observe(home, nanos + request.prefillNanos().orElse(0));
            if (request.outputTokens() > 1) {
                perToken.observe(home, nanos / (request.outputTokens() - 1));
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
