package org.maniple.serve.openai;

import io.netty.handler.codec.http.HttpMethod;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
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
        requests = new RequestMetrics(engine.model().names().getFirst(), engines, engine.model().maxModelLength());
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
                // Made here, since few servers are ever asked and the first use loads many classes.
                PrometheusTextFormatWriter writer = PrometheusTextFormatWriter.create();
                exchange.respond(200, Map.of("Content-Type", writer.getContentType()), text(writer));
            } catch (RuntimeException e) {
                LOG.log(System.Logger.Level.ERROR, "metrics cannot be written", e);
                exchange.fail(ApiException.of(500, "The metrics cannot be written; the log tells more."));
            }
        });
    }

    private byte[] text(PrometheusTextFormatWriter writer) {
        var all = MetricSnapshots.builder();
        unit.snapshots().forEach(all::metricSnapshot);
        // An engine that is seen from afar tells nothing about requests: series that would always say 0 are left out.
        if (observed) {
            requests.snapshots().forEach(all::metricSnapshot);
        }
        var out = new ByteArrayOutputStream();
        try {
            writer.write(out, all.build());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }
}
