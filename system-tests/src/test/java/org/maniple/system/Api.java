package org.maniple.system;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A client of a unit. */
final class Api {

    private static final Duration LIMIT = Duration.ofSeconds(120);
    private static final JsonMapper JSON = new JsonMapper();

    private final URI url;
    private final Duration limit;
    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    Api(URI url) {
        this(url, LIMIT);
    }

    /** One whose requests may take longer. */
    Api(URI url, Duration limit) {
        this.url = url;
        this.limit = limit;
    }

    /** A reply of any status. */
    record Reply(int status, String body) {
        JsonNode json() {
            return JSON.readTree(body);
        }
    }

    Reply ask(String path) throws IOException {
        return reply(HttpRequest.newBuilder(url.resolve(path)).timeout(Duration.ofSeconds(10)).build());
    }

    /** The JSON of a successful GET. */
    JsonNode get(String path) {
        try {
            return successful(ask(path));
        } catch (IOException e) {
            throw new AssertionError("GET " + path + " failed", e);
        }
    }

    /** The JSON of a successful POST. */
    JsonNode post(String path, Map<String, ?> body) {
        return await(postLater(path, body), limit);
    }

    CompletableFuture<JsonNode> postLater(String path, Map<String, ?> body) {
        return client.sendAsync(request(path, body), BodyHandlers.ofString())
                .thenApply(response -> successful(new Reply(response.statusCode(), response.body())));
    }

    static <T> T await(CompletableFuture<T> reply) {
        return await(reply, LIMIT);
    }

    static <T> T await(CompletableFuture<T> reply, Duration limit) {
        try {
            return reply.get(limit.toSeconds(), TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new AssertionError("no reply within " + limit.toSeconds() + " s", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        } catch (java.util.concurrent.ExecutionException e) {
            throw new AssertionError(e.getCause().getMessage(), e.getCause());
        }
    }

    /** Begins a stream; its events are read as they come. */
    EventStream stream(String path, Map<String, ?> body) {
        try {
            HttpResponse<Stream<String>> response = client.send(request(path, body), BodyHandlers.ofLines());
            if (response.statusCode() != 200) {
                throw new AssertionError("status " + response.statusCode() + ": " + response.body().toList());
            }
            return new EventStream(response.body());
        } catch (IOException e) {
            throw new AssertionError("POST " + path + " failed", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    private HttpRequest request(String path, Map<String, ?> body) {
        return HttpRequest.newBuilder(url.resolve(path)).timeout(limit).header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(body))).build();
    }

    private Reply reply(HttpRequest request) throws IOException {
        try {
            HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
            return new Reply(response.statusCode(), response.body());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    private static JsonNode successful(Reply reply) {
        if (reply.status() != 200) {
            throw new AssertionError("status " + reply.status() + ": " + reply.body());
        }
        return reply.json();
    }
}
