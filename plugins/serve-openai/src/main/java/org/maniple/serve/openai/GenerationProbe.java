package org.maniple.serve.openai;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.maniple.api.engine.Engine;
import org.maniple.api.engine.Generation;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.Sampling;

/**
 * {@code GET /health_generate}, SGLang's health check by generating a token: it finds a unit whose ranks live but compute no more. It costs a step,
 * so that it needs a key like all that does.
 */
final class GenerationProbe {

    private final Engine engine;
    private final Workers workers;
    private final Duration limit;
    private final AtomicLong number = new AtomicLong();

    /** @param limit how long a token may take */
    GenerationProbe(Engine engine, Workers workers, Duration limit) {
        this.engine = engine;
        this.workers = workers;
        this.limit = limit;
    }

    Route route() {
        return Route.get("/health_generate", this::probe);
    }

    private void probe(Exchange exchange, Fields fields) {
        // Behind a server of another rank, to submit means to wait for rank 0's answer.
        workers.execute(() -> {
            try {
                start(exchange);
            } catch (RuntimeException refused) {
                exchange.fail(ApiException.later(5, "No token can be generated: " + refused.getMessage()));
            }
        });
    }

    @SuppressWarnings("FutureReturnValueIgnored") // an answer that comes first makes the late one go unheard
    private void start(Exchange exchange) {
        var request = new GenerationRequest("health-" + number.incrementAndGet(), new int[] {0}, Sampling.greedy(1));
        Generation generation = engine.submit(request, event -> {
            switch (event) {
                case GenerationEvent.Finished finished -> exchange.respondEmpty(200, Map.of());
                case GenerationEvent.Failed failed -> exchange.fail(ApiException.engineDead(failed.message()));
                default -> {
                }
            }
        });
        exchange.loop().schedule(() -> {
            generation.cancel();
            exchange.fail(ApiException.later(5, "No token has been generated within " + limit.toSeconds() + " s."));
        }, limit.toMillis(), TimeUnit.MILLISECONDS);
    }
}
