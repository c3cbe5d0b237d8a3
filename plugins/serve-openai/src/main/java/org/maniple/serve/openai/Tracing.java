package org.maniple.serve.openai;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.maniple.api.engine.EndedRequest;
import org.maniple.api.engine.Engine;
import org.maniple.api.engine.EngineObserver;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.UnitStatus.RankStatus;
import org.maniple.api.engine.UnitStatus.StepTimes;

/**
 * Makes spans of requests: one for the request, with vLLM's name and attributes, below it one for each phase, and one for each rank with what the rank
 * has done meanwhile, for all requests, as its heartbeats say. Safe for use by several threads.
 */
final class Tracing implements EngineObserver {

    private static final double NANOS = 1e9;

    private final Engine engine;
    private final Consumer<Span> spans;
    private final Map<String, Begun> running = new ConcurrentHashMap<>();

    private record Begun(TraceContext context, GenerationRequest request, int choices, Map<Integer, StepTimes> ranks) {}

    Tracing(Engine engine, Consumer<Span> spans) {
        this.engine = engine;
        this.spans = spans;
    }

    /** A request is about to be given to the engine. */
    void begin(TraceContext context, GenerationRequest request, int choices) {
        if (context.sampled()) {
            var ranks = new HashMap<Integer, StepTimes>();
            engine.status().ranks().forEach(rank -> ranks.put(rank.rank(), rank.times()));
            running.put(request.id(), new Begun(context, request, choices, ranks));
        }
    }

    /** The engine has not taken the request. */
    void forget(String id) {
        running.remove(id);
    }

    @Override
    public void ended(EndedRequest end) {
        Begun begun = running.remove(end.id());
        if (begun == null) {
            return;
        }
        long now = TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis());
        long came = now - end.totalNanos();
        String id = TraceContext.newSpanId();
        spans.accept(new Span(begun.context().traceId(), id, begun.context().parentId(), "llm_request", Span.SERVER, came, now,
                attributes(begun, end), end.reason().isEmpty()));
        if (end.queueNanos().isPresent()) {
            long started = came + end.queueNanos().getAsLong();
            phase(begun, id, "queue", came, started);
            if (end.prefillNanos().isPresent()) {
                long first = started + end.prefillNanos().getAsLong();
                phase(begun, id, "prefill", started, first);
                end.decodeNanos().ifPresent(decode -> phase(begun, id, "decode", first, first + decode));
            }
            engine.status().ranks().forEach(rank -> rank(begun, id, rank, started, now));
        }
    }

    private Map<String, Object> attributes(Begun begun, EndedRequest end) {
        var all = new LinkedHashMap<String, Object>();
        all.put("gen_ai.request.id", end.id());
        all.put("gen_ai.response.model", engine.model().names().getFirst());
        all.put("gen_ai.request.n", begun.choices());
        all.put("gen_ai.request.temperature", begun.request().sampling().temperature());
        all.put("gen_ai.request.top_p", begun.request().sampling().topP());
        end.maxTokens().ifPresent(most -> all.put("gen_ai.request.max_tokens", most));
        all.put("gen_ai.usage.prompt_tokens", end.promptTokens());
        all.put("gen_ai.usage.completion_tokens", end.outputTokens());
        all.put("gen_ai.latency.e2e", end.totalNanos() / NANOS);
        end.queueNanos().ifPresent(queue -> {
            all.put("gen_ai.latency.time_in_queue", queue / NANOS);
            end.prefillNanos().ifPresent(prefill -> {
                all.put("gen_ai.latency.time_to_first_token", (queue + prefill) / NANOS);
                all.put("gen_ai.latency.time_in_model_prefill", prefill / NANOS);
                end.decodeNanos().ifPresent(decode -> {
                    all.put("gen_ai.latency.time_in_model_decode", decode / NANOS);
                    all.put("gen_ai.latency.time_in_model_inference", (prefill + decode) / NANOS);
                });
            });
        });
        all.put("maniple.engine", end.home());
        end.reason().ifPresent(reason -> all.put("gen_ai.response.finish_reasons", reason.name().toLowerCase(Locale.ROOT)));
        return all;
    }

    private void phase(Begun begun, String parent, String name, long from, long to) {
        span(begun, parent, name, from, to, Map.of());
    }

    private void rank(Begun begun, String parent, RankStatus rank, long from, long to) {
        StepTimes before = begun.ranks().getOrDefault(rank.rank(), StepTimes.NONE);
        StepTimes now = rank.times();
        if (now.steps() == before.steps()) {
            return;
        }
        var attributes = new LinkedHashMap<String, Object>();
        attributes.put("maniple.rank", rank.rank());
        attributes.put("host.name", rank.host());
        rank.coordinates().forEach((dimension, place) -> attributes.put("maniple.mesh." + dimension, place));
        attributes.put("maniple.steps", now.steps() - before.steps());
        attributes.put("maniple.compute_seconds", (now.computeNanos() - before.computeNanos()) / NANOS);
        attributes.put("maniple.communication_seconds", (now.communicationNanos() - before.communicationNanos()) / NANOS);
        attributes.put("maniple.waiting_seconds", (now.waitingNanos() - before.waitingNanos()) / NANOS);
        span(begun, parent, "rank " + rank.rank(), from, to, attributes);
    }

    private void span(Begun begun, String parent, String name, long from, long to, Map<String, Object> attributes) {
        spans.accept(
                new Span(begun.context().traceId(), TraceContext.newSpanId(), Optional.of(parent), name, Span.INTERNAL, from, to,
                        attributes, false));
    }

    /** Requests that are being traced. */
    List<String> running() {
        return List.copyOf(running.keySet());
    }
}
