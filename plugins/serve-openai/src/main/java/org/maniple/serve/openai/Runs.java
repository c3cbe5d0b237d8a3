package org.maniple.serve.openai;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.maniple.api.engine.Engine;

/** The requests that the engine works on at present. Safe for use by several threads. */
final class Runs {

    private static final int MAX_ABORTED = 1024;
    private static final int MAX_ID_BYTES = 256;

    private final Engine engine;
    private final Metrics metrics;
    private final Optional<Tracing> tracing;
    private final TimeLimits limits;
    private final AtomicLong started = new AtomicLong();
    private final Map<String, Run> running = new ConcurrentHashMap<>();

    Runs(Engine engine, Metrics metrics, Optional<Tracing> tracing, TimeLimits limits) {
        this.limits = limits;
        this.engine = engine;
        this.metrics = metrics;
        this.tracing = tracing;
    }

    /** SGLang's spelling and vLLM's. */
    List<Route> routes() {
        return List.of(Route.post("/abort_request", false, this::abort), Route.post("/abort_requests", false, this::abort));
    }

    /**
     * Starts a request under an id of its own: a client that sends an id again while its request still runs gets another one.
     *
     * @param wanted the id that it would have
     * @param create makes the request, given its id
     */
    void start(String wanted, Function<String, Run> create) {
        String id = wanted;
        Run run = create.apply(id);
        while (running.putIfAbsent(id, run) != null) {
            id = wanted + "-" + Integer.toHexString(ThreadLocalRandom.current().nextInt());
            run = create.apply(id);
        }
        run.start(engine, started.incrementAndGet(), tracing);
    }

    /** How long a request may take. */
    TimeLimits limits(Fields fields) {
        return limits.of(fields);
    }

    void ended(Run run) {
        running.remove(run.id(), run);
        metrics.answered(run.choices(), run.longestOutput());
    }

    void cancelAll() {
        running.values().forEach(Run::cancel);
    }

    /** Cancels the requests that are called so. Returns how many there were. */
    int cancel(String name) {
        List<Run> called = running.values().stream().filter(run -> run.isCalled(name)).toList();
        called.forEach(Run::cancel);
        return called.size();
    }

    private void abort(Exchange exchange, Fields fields) {
        List<Run> aborted;
        if (fields.flag("abort_all", false)) {
            aborted = List.copyOf(running.values());
        } else if (fields.has("request_ids")) {
            List<String> names = fields.texts("request_ids", MAX_ABORTED, MAX_ID_BYTES);
            aborted = running.values().stream().filter(run -> names.stream().anyMatch(run::isCalled)).toList();
        } else {
            String name = fields.text("rid").orElseThrow(() -> ApiException.invalid("rid",
                    "`rid` must be the id of a request or of its reply, `request_ids` a list of them, or `abort_all` must be true."));
            aborted = running.values().stream().filter(run -> run.isCalled(name)).toList();
        }
        aborted.forEach(Run::cancel);
        exchange.respond(200, json -> {
            json.writeStartObject();
            json.writeNumberProperty("aborted", aborted.size());
            json.writeEndObject();
        });
    }
}
