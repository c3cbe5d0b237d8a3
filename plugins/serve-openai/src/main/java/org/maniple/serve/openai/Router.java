package org.maniple.serve.openai;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.maniple.api.engine.RefusedException;
import org.maniple.api.text.TextException;

/**
 * Decides what a request gets. Everything needs a key except the routes that are marked open, so the key is asked for before it is
 * said whether a route exists. Safe for use by several threads.
 */
final class Router {

    private static final Logger LOG = System.getLogger(Router.class.getName());
    /** The same for every path, since browsers ask without a key. */
    private static final Map<String, String> PREFLIGHT = Map.of("Access-Control-Allow-Methods", "GET, POST",
            "Access-Control-Allow-Headers",
            "Authorization, Content-Type, X-Api-Key, X-Request-Id, Idempotency-Key, Anthropic-Version",
            "Access-Control-Max-Age", "600");
    private static final Fields NO_FIELDS = new Fields(Map.of());

    private final List<Route> routes;
    private final OriginRules origins;
    private final ApiKeys keys;
    private final Workers workers;
    private final Readiness readiness;
    private final RepeatedRequests repeats = new RepeatedRequests();

    Router(List<Route> routes, OriginRules origins, ApiKeys keys, Workers workers, Readiness readiness) {
        this.routes = List.copyOf(routes);
        this.origins = origins;
        this.keys = keys;
        this.workers = workers;
        this.readiness = readiness;
    }

    /** Answers a request, or begins to; called on the event loop. */
    void handle(Exchange exchange) {
        if (readiness.drainReason().isPresent()) {
            exchange.closeAfterwards();
        }
        guarded(exchange, () -> dispatch(exchange));
    }

    private void dispatch(Exchange exchange) {
        Optional<ApiException> foreign = origins.problem(exchange.head());
        if (foreign.isPresent()) {
            throw foreign.get();
        }
        Optional<String> shared = origins.shared(exchange.head());
        shared.ifPresent(exchange::shareWith);
        if (shared.isPresent() && isPreflight(exchange)) {
            exchange.respondEmpty(204, PREFLIGHT);
            return;
        }
        String path = HttpTarget.path(exchange.head().uri());
        List<Route> there = routes.stream().filter(route -> route.matches(path)).toList();
        Optional<Route> asked = there.stream().filter(route -> route.answers(exchange.method())).findFirst();
        boolean open = asked.map(Route::open).orElse(false);
        asked.ifPresent(route -> exchange.writeErrorsAs(route.errors()));
        Optional<ApiKey> key = keys.find(exchange.head().headers());
        if (!open && keys.areRequired() && key.isEmpty()) {
            exchange.respond(401, Map.of("WWW-Authenticate", "Bearer"), exchange.errors().unauthorized());
        } else if (asked.isPresent()) {
            answer(exchange, asked.get(), key);
        } else if (there.isEmpty()) {
            throw ApiException.of(404,
                    "There is nothing at " + ApiException.shown(path) + "; chat is at POST /v1/chat/completions.");
        } else {
            wrongMethod(exchange, there);
        }
    }

    private static boolean isPreflight(Exchange exchange) {
        return exchange.method().equals(HttpMethod.OPTIONS)
                && exchange.head().headers().contains(HttpHeaderNames.ACCESS_CONTROL_REQUEST_METHOD);
    }

    private void answer(Exchange exchange, Route route, Optional<ApiKey> key) {
        if (!route.takesBody()) {
            route.handler().handle(exchange, NO_FIELDS);
            return;
        }
        String type = exchange.head().headers().get(HttpHeaderNames.CONTENT_TYPE, "").toLowerCase(Locale.ROOT);
        if (!type.split(";", 2)[0].strip().equals("application/json")) {
            throw ApiException.of(415, "Unsupported Media Type: Only 'application/json' is allowed.");
        }
        Optional<String> draining = readiness.drainReason();
        if (route.starts() && draining.isPresent()) {
            throw ApiException.later(5, "No new requests are taken: " + draining.get());
        }
        if (route.starts()) {
            key.ifPresent(one -> {
                one.enter();
                exchange.whenEnded(one::leave);
            });
            repeats.begin(exchange, key.map(ApiKey::name).orElse(""));
        }
        workers.execute(() -> guarded(exchange, () -> {
            if (!exchange.isDisconnected()) {
                route.handler().handle(exchange, new Fields(exchange.json().readObject(exchange.takeBody())));
            }
        }));
    }

    private void wrongMethod(Exchange exchange, List<Route> there) {
        String allowed = Stream.concat(there.stream().flatMap(route -> route.method().equals(HttpMethod.GET)
                ? Stream.of("GET", "HEAD")
                : Stream.of(route.method().name())), Stream.of("OPTIONS")).distinct().collect(Collectors.joining(", "));
        Map<String, String> headers = Map.of("Allow", allowed);
        if (exchange.method().equals(HttpMethod.OPTIONS)) {
            exchange.respondEmpty(204, headers);
        } else {
            exchange.respond(405, headers, ApiException.of(405, "This route answers " + allowed + ".").reply());
        }
    }

    private void guarded(Exchange exchange, Runnable work) {
        try {
            work.run();
        } catch (ApiException e) {
            exchange.fail(e);
        } catch (RefusedException e) {
            exchange.fail(ApiException.refused(e));
        } catch (TextException e) {
            exchange.fail(ApiException.of(400, String.valueOf(e.getMessage())));
        } catch (RuntimeException | StackOverflowError e) {
            // The client learns the id only: what went wrong inside is for the log.
            LOG.log(Level.ERROR, "request " + exchange.id() + " failed", e);
            exchange.fail(
                    ApiException.of(500, "The server failed at this request; its log tells more under " + exchange.id() + "."));
        }
    }
}
