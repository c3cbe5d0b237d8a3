package org.maniple.serve.openai;

import io.netty.handler.codec.http.HttpMethod;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.maniple.api.engine.Engine;

/** {@code GET /metrics}, in the text format of Prometheus. Safe for use by several threads. */
final class Metrics {

    private static final System.Logger LOG = System.getLogger(Metrics.class.getName());

    private final Workers workers;
    private final RequestMetrics requests;
    private final UnitMetrics unit;
    private final boolean observed;

    /** Observes the engine from now on. */
    Metrics(Engine engine, Workers workers) {
        this.workers = workers;
        int engines = Math.max(1, engine.status().homes().size());
        requests = new RequestMetrics(engine.model().names().getFirst(), engines, engine.model().maxModelLength(),
                engine.speculativeTokens());
        observed = engine.observe(requests);
        unit = new UnitMetrics(engine, observed, System::nanoTime);
    }

    /** A client's request has ended. */
    void answered(int choices, int longest) {
        requests.answered(choices, longest);
    }

    /** @param open whether it needs no key */
    Route route(boolean open) {
        return new Route(HttpMethod.GET, "/metrics", open, false, false, ErrorShape.OPENAI, this::scrape);
    }

    private void scrape(Exchange exchange, Fields fields) {
        workers.execute(() -> {
            try {
                exchange.respond(200, Map.of("Content-Type", Exposition.CONTENT_TYPE), text());
            } catch (RuntimeException e) {
                LOG.log(System.Logger.Level.ERROR, "metrics cannot be written", e);
                exchange.fail(ApiException.of(500, "The metrics cannot be written; the log tells more."));
            }
        });
    }

    private byte[] text() {
        var out = new Exposition();
        unit.write(out);
        // An engine that is seen from afar tells nothing about requests: series that would always say 0 are left out.
        if (observed) {
            requests.write(out);
        }
        return out.toString().getBytes(StandardCharsets.UTF_8);
    }
}
