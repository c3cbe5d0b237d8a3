package org.maniple.serve.openai;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.maniple.api.ManipleException;

/**
 * Sends spans to a collector by OTLP over HTTP, in JSON. Spans that a collector does not take in time are dropped: requests must not suffer from
 * those who watch. Safe for use by several threads.
 */
final class SpanExporter implements AutoCloseable {

    private static final System.Logger LOG = System.getLogger(SpanExporter.class.getName());
    private static final int PLACES = 4096;
    private static final int BATCH = 512;
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final Duration LAST_LIMIT = Duration.ofSeconds(3);
    private static final String PATH = "/v1/traces";

    private final URI endpoint;
    private final Json json;
    private final String version;
    private final Duration pause;
    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(LIMIT).build();
    private final BlockingQueue<Span> queue = new ArrayBlockingQueue<>(PLACES);
    private final Thread thread = Thread.ofPlatform().name("span-exporter").daemon().unstarted(this::run);
    private volatile boolean closing;
    private boolean complained;

    /**
     * Begins to send what is handed to it.
     *
     * @param version of the server
     * @param pause between two batches
     */
    SpanExporter(URI endpoint, Json json, String version, Duration pause) {
        this.endpoint = endpoint;
        this.json = json;
        this.version = version;
        this.pause = pause;
        thread.start();
    }

    /**
     * Where spans go.
     *
     * @param text {@code http://HOST:PORT}, with or without the path {@code /v1/traces}
     * @throws ManipleException if it is something else
     */
    static URI endpoint(String text) {
        URI uri;
        try {
            uri = URI.create(text.strip());
        } catch (IllegalArgumentException e) {
            throw new ManipleException(wrong(text), e);
        }
        if (uri.getScheme() == null || !uri.getScheme().matches("https?") || uri.getHost() == null) {
            throw new ManipleException(wrong(text));
        }
        return uri.getPath().isEmpty() || uri.getPath().equals("/") ? uri.resolve(PATH) : uri;
    }

    private static String wrong(String text) {
        return "otlp-traces-endpoint [" + text + "] must be an address of a collector that takes OTLP over HTTP, for example"
                + " http://127.0.0.1:4318; gRPC (port 4317) is not spoken here";
    }

    /** Takes a span, or drops it if too many wait. */
    void add(Span span) {
        if (!queue.offer(span)) {
            complain("more than " + PLACES + " spans wait; further ones are dropped", null);
        }
    }

    private void run() {
        try {
            while (!closing || !queue.isEmpty()) {
                List<Span> batch = new ArrayList<>();
                Span first = queue.poll(pause.toNanos(), TimeUnit.NANOSECONDS);
                if (first != null) {
                    batch.add(first);
                    // Others of the same request follow it.
                    LockSupport.parkNanos(closing ? 0 : pause.toNanos());
                    queue.drainTo(batch, BATCH - 1);
                    send(batch);
                }
            }
        } catch (InterruptedException e) {
            LOG.log(System.Logger.Level.DEBUG, "The exporter of spans ends");
        }
    }

    private void send(List<Span> batch) throws InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(endpoint).timeout(LIMIT).header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(bytes(batch))).build();
        try {
            int status = client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
            if (status / 100 == 2) {
                recovered();
            } else {
                complain("it answers " + status, null);
            }
        } catch (IOException e) {
            complain("it cannot be reached", e);
        }
    }

    private byte[] bytes(List<Span> batch) {
        return json.bytes(out -> {
            out.writeStartObject();
            out.writeArrayPropertyStart("resourceSpans");
            out.writeStartObject();
            out.writeObjectPropertyStart("resource");
            out.writeArrayPropertyStart("attributes");
            Span.attribute(out, "service.name", "maniple");
            Span.attribute(out, "service.version", version);
            out.writeEndArray();
            out.writeEndObject();
            out.writeArrayPropertyStart("scopeSpans");
            out.writeStartObject();
            out.writeObjectPropertyStart("scope");
            out.writeStringProperty("name", "org.maniple");
            out.writeEndObject();
            out.writeArrayPropertyStart("spans");
            batch.forEach(span -> span.write(out));
            out.writeEndArray();
            out.writeEndObject();
            out.writeEndArray();
            out.writeEndObject();
            out.writeEndArray();
            out.writeEndObject();
        });
    }

    /** Once, until it works again. */
    private synchronized void complain(String what, @Nullable Throwable cause) {
        if (!complained) {
            complained = true;
            LOG.log(System.Logger.Level.WARNING, "Spans for the collector at " + endpoint + " are lost: " + what, cause);
        }
    }

    private synchronized void recovered() {
        complained = false;
    }

    /** Sends what waits, for some seconds at most. */
    @Override
    public void close() {
        closing = true;
        LockSupport.unpark(thread);
        try {
            if (!thread.join(LAST_LIMIT)) {
                thread.interrupt();
            }
        } catch (InterruptedException e) {
            thread.interrupt();
            Thread.currentThread().interrupt();
        }
        client.shutdownNow();
    }
}
