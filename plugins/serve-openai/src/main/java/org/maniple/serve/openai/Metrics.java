package org.maniple.serve.openai;

import io.netty.handler.codec.http.HttpMethod;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import org.maniple.api.engine.Engine;

/** {@code GET /metrics}, in the text format of Prometheus. Safe for use by several threads. */
final class Metrics {

    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final PrometheusTextFormatWriter writer = PrometheusTextFormatWriter.create();
    private final Workers workers;
    private final RequestMetrics requests;

    /** Observes the engine from now on. */
    Metrics(Engine engine, Workers workers) {
        this.workers = workers;
        int engines = Math.max(1, engine.status().homes().size());
        var told = new PrometheusRegistry();
        requests = new RequestMetrics(told, engine.model().names().getFirst(), engines, engine.model().maxModelLength());
        boolean observed = engine.observe(requests);
        registry.register(new UnitMetrics(engine, observed, System::nanoTime));
        // An engine that is seen from afar tells nothing about requests: series that would always say 0 are left out.
        if (observed) {
            registry.register((MultiCollector) told::scrape);
        }
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
        workers.execute(() -> exchange.respond(200, Map.of("Content-Type", writer.getContentType()), text()));
    }

    private byte[] text() {
        var out = new ByteArrayOutputStream();
        try {
            writer.write(out, registry.scrape());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }
}
