package org.maniple.kernel.boot;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import org.maniple.api.ManipleException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Answers health checks on a node from its start on: also on nodes that serve nothing, and before the unit can serve. Whoever waits for the
 * API's port may take an open port for a unit that is ready; here the status tells.
 */
final class HealthPort implements AutoCloseable {

    private static final Set<String> READINESS = Set.of("/health", "/ready", "/readyz");
    private static final int BACKLOG = 16;
    private static final JsonMapper JSON = new JsonMapper();

    private final HttpServer server;
    private final ExecutorService worker;

    private HealthPort(HttpServer server, ExecutorService worker) {
        this.server = server;
        this.worker = worker;
    }

    /**
     * Begins to answer.
     *
     * @param host an address of this machine
     * @param reasons why the unit cannot serve now; none if it can
     */
    static HealthPort open(String host, int port, Supplier<List<String>> reasons) {
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress(host, port), BACKLOG);
            // One checker that stands still must not keep the others waiting.
            ExecutorService worker = Executors.newVirtualThreadPerTaskExecutor();
            server.setExecutor(worker);
            server.createContext("/", exchange -> answer(exchange, reasons));
            server.start();
            return new HealthPort(server, worker);
        } catch (IOException e) {
            throw new ManipleException("health checks cannot be answered at [" + host + ":" + port + "]: " + e.getMessage()
                    + "; give another --health-port", e);
        }
    }

    /** The port, also if any free one was asked for. */
    int port() {
        return server.getAddress().getPort();
    }

    private static void answer(HttpExchange exchange, Supplier<List<String>> reasons) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            if (path.equals("/livez")) {
                respond(exchange, 200, Map.of("status", "alive"));
            } else if (READINESS.contains(path)) {
                List<String> why = reasons.get();
                respond(exchange, why.isEmpty() ? 200 : 503,
                        Map.of("status", why.isEmpty() ? "ready" : "unavailable", "ready", why.isEmpty(), "reasons", why));
            } else {
                respond(exchange, 404, Map.of("error", "health checks are /livez and /ready"));
            }
        }
    }

    private static void respond(HttpExchange exchange, int status, Map<String, ?> body) throws IOException {
        byte[] bytes = JSON.writeValueAsBytes(body);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    @Override
    public void close() {
        server.stop(0);
        worker.shutdownNow();
    }
}
