package org.maniple.serve.openai;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.maniple.api.HostInfo;
import org.maniple.api.PluginContext;
import org.maniple.api.config.Settings;
import org.maniple.api.frontend.Frontend;

/** The frontend on a free port of this machine, before a {@link FakeEngine}. */
final class TestServer implements AutoCloseable {

    static final HttpLimits LIMITS = HttpLimits.standard(1 << 20);

    private static final Json JSON = new Json();

    final FakeEngine engine;
    final Frontend.Serving serving;
    final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    TestServer(FakeEngine engine) {
        this(engine, Map.of(), LIMITS);
    }

    TestServer(FakeEngine engine, Map<String, Object> settings, HttpLimits limits) {
        this.engine = engine;
        Map<String, Object> all = new HashMap<>(Map.of("host", "127.0.0.1", "port", 0, "step-timeout", Duration.ofSeconds(300)));
        all.putAll(settings);
        this.serving = new OpenAiFrontend().serve(engine, context(new MapSettings(all), new ArrayList<>()), limits);
    }

    static PluginContext context(Settings settings, List<String> announced) {
        return new PluginContext() {
            @Override
            public Settings settings() {
                return settings;
            }

            @Override
            public <C extends Record> C configuration(Class<C> type) {
                throw new IllegalArgumentException("no record of its own");
            }

            @Override
            public HostInfo host() {
                return new HostInfo("here", "linux", "amd64", 2, 1L << 30);
            }

            @Override
            public void announce(String line) {
                announced.add(line);
            }
        };
    }

    int port() {
        return URI.create(serving.url()).getPort();
    }

    HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(serving.url() + path)).timeout(Duration.ofSeconds(20));
    }

    Answer get(String path) {
        return send(request(path).build());
    }

    Answer post(String path, String body) {
        return send(
                request(path).header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(body)).build());
    }

    /** A chat with one message and further fields. */
    Answer chat(String fields) {
        return post("/v1/chat/completions", chatBody(fields));
    }

    Answer complete(String fields) {
        return post("/v1/completions", "{" + fields + "}");
    }

    static String chatBody(String fields) {
        return "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]" + (fields.isEmpty() ? "" : "," + fields) + "}";
    }

    Answer send(HttpRequest request) {
        try {
            HttpResponse<byte[]> response = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
            return new Answer(response.statusCode(), response.headers().map(),
                    new String(response.body(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new AssertionError("no answer to " + request, e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        serving.close();
        client.shutdownNow();
        engine.close();
    }

    /** An answer. */
    record Answer(int status, Map<String, List<String>> headers, String body) {

        Map<String, Object> json() {
            return JSON.readObject(body.getBytes(StandardCharsets.UTF_8));
        }

        String header(String name) {
            return headers.getOrDefault(name.toLowerCase(), List.of("")).getFirst();
        }

        @SuppressWarnings("unchecked") // what the API promises; anything else fails the test
        Map<String, Object> error() {
            return (Map<String, Object>) json().get("error");
        }

        String message() {
            return String.valueOf(error().get("message"));
        }

        /** A value inside the answer: names and indices, separated by dots. */
        Object at(String path) {
            Object value = json();
            for (String step : path.split("\\.")) {
                value = value instanceof List<?> list ? list.get(Integer.parseInt(step)) : ((Map<?, ?>) value).get(step);
            }
            return value;
        }

        /** The data of the events of a stream. */
        List<String> events() {
            List<String> events = new ArrayList<>();
            for (String event : body.split("\n\n")) {
                if (!event.startsWith("data: ")) {
                    throw new AssertionError("no event: [" + event + "]");
                }
                events.add(event.substring("data: ".length()));
            }
            return events;
        }

        /** The events of a stream with names, as answers; each name is that of the field {@code type}. */
        List<Answer> namedEvents() {
            List<Answer> events = new ArrayList<>();
            for (String event : body.split("\n\n")) {
                if (event.equals("data: [DONE]")) {
                    continue;
                }
                String[] lines = event.split("\n", 2);
                Answer data = new Answer(status, headers, lines[1].substring("data: ".length()));
                if (!lines[0].equals("event: " + data.at("type"))) {
                    throw new AssertionError("the event [" + event + "] has another name than its data");
                }
                events.add(data);
            }
            return events;
        }

        /** The events but the last, which says that the stream is done, as answers. */
        List<Answer> chunks() {
            List<String> events = events();
            if (!events.getLast().equals("[DONE]")) {
                throw new AssertionError("the stream ends with [" + events.getLast() + "]");
            }
            return events.subList(0, events.size() - 1).stream().map(event -> new Answer(status, headers, event)).toList();
        }
    }
}
