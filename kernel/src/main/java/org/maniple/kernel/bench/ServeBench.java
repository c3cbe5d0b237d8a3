package org.maniple.kernel.bench;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.Stream;
import org.maniple.api.ManipleException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Sends completions to a server with OpenAI's API as streams, and times what comes back. */
public final class ServeBench implements AutoCloseable {

    private static final Duration CONNECT = Duration.ofSeconds(10);
    private static final String DATA = "data:";
    private static final String DONE = "[DONE]";
    private static final int SHOWN = 200;
    /** Connections that may turn out to be closed, one after the other. */
    private static final int KEPT = 3;
    /** How the client says that a connection was closed before the answer began. */
    private static final String NOTHING_CAME = "received no bytes";

    private final LoadPlan plan;
    private final Consumer<String> progress;
    private final ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor();
    private final HttpClient http = HttpClient.newBuilder().connectTimeout(CONNECT).version(HttpClient.Version.HTTP_1_1)
            .executor(clients).build();
    private final JsonMapper json = JsonMapper.builder().build();
    /** Begins elsewhere each time: a server that keeps prefixes must not find the prompts of the run before. */
    private final RandomGenerator random = RandomGeneratorFactory.of("Xoshiro256PlusPlus").create();

    /**
     * A bench that has sent nothing.
     *
     * @param plan of the requests
     * @param progress told how many requests are over
     */
    public ServeBench(LoadPlan plan, Consumer<String> progress) {
        this.plan = plan;
        this.progress = progress;
    }

    /**
     * The model that requests ask for.
     *
     * @return the one of the plan, or else the server's first
     * @throws ManipleException if the server cannot be asked, or has none; says why
     * @throws InterruptedException if the thread is interrupted
     */
    public String model() throws InterruptedException {
        if (plan.model().isPresent()) {
            return plan.model().get();
        }
        try {
            HttpResponse<String> response = http.send(request("/v1/models").timeout(CONNECT).GET().build(),
                    HttpResponse.BodyHandlers.ofString());
            JsonNode first = json.readTree(response.body()).path("data").path(0).path("id");
            if (response.statusCode() != 200 || !first.isString()) {
                throw new ManipleException(
                        plan.url() + "/v1/models answers with status " + response.statusCode() + " and names no model: "
                                + shortened(response.body()) + "; give --model");
            }
            return first.stringValue();
        } catch (IOException | JacksonException e) {
            throw new ManipleException("no server answers at " + plan.url() + ": " + reason(e)
                    + "; start one, for example with maniple serve, or give its address with --url", e);
        }
    }

    /**
     * Sends requests at one pace.
     *
     * @param pace when they are sent
     * @param model what they ask for
     * @return what was measured
     * @throws InterruptedException if the thread is interrupted
     */
    public LoadResult run(LoadPlan.Pace pace, String model) throws InterruptedException {
        for (int i = 0; i < plan.warmUp(); i++) {
            progress.accept("warming up: " + (i + 1) + " of " + plan.warmUp());
            ask(body(model));
        }
        List<String> bodies = Stream.generate(() -> body(model)).limit(plan.requests()).toList();
        var over = new AtomicInteger();
        List<Answer> answers = switch (pace) {
            case LoadPlan.Pace.Clients closed -> closed(closed.clients(), bodies, over);
            case LoadPlan.Pace.Rate open -> open(open.perSecond(), bodies, over);
        };
        return LoadResult.of(pace, answers);
    }

    private List<Answer> closed(int count, List<String> bodies, AtomicInteger over) throws InterruptedException {
        var next = new AtomicInteger();
        var all = new ArrayList<Future<List<Answer>>>();
        for (int client = 0; client < count; client++) {
            all.add(clients.submit(() -> {
                var own = new ArrayList<Answer>();
                for (int i = next.getAndIncrement(); i < bodies.size(); i = next.getAndIncrement()) {
                    own.add(counted(bodies.get(i), over, bodies.size()));
                }
                return own;
            }));
        }
        var answers = new ArrayList<Answer>();
        for (Future<List<Answer>> one : all) {
            answers.addAll(outcome(one));
        }
        return answers;
    }

    private List<Answer> open(double perSecond, List<String> bodies, AtomicInteger over) throws InterruptedException {
        var never = new CountDownLatch(1);
        var all = new ArrayList<Future<Answer>>();
        long begin = System.nanoTime();
        double at = 0;
        for (String body : bodies) {
            long due = begin + (long) (at * 1e9);
            all.add(clients.submit(() -> {
                never.await(due - System.nanoTime(), TimeUnit.NANOSECONDS);
                return counted(body, over, bodies.size());
            }));
            at += -Math.log(1 - random.nextDouble()) / perSecond;
        }
        var answers = new ArrayList<Answer>();
        for (Future<Answer> one : all) {
            answers.add(outcome(one));
        }
        return answers;
    }

    private static <T> T outcome(Future<T> future) throws InterruptedException {
        try {
            return future.get();
        } catch (ExecutionException e) {
            throw new ManipleException("a client failed: " + e.getCause(), e);
        }
    }

    private Answer counted(String body, AtomicInteger over, int all) throws InterruptedException {
        Answer answer = ask(body);
        progress.accept(over.incrementAndGet() + " of " + all + " requests");
        return answer;
    }

    /** One request, whose failure is an answer too. */
    private Answer ask(String body) throws InterruptedException {
        long start = System.nanoTime();
        try {
            HttpRequest request = request("/v1/completions").timeout(plan.timeout()).header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(body)).build();
            HttpResponse<Stream<String>> response = send(request);
            try (Stream<String> lines = response.body()) {
                if (response.statusCode() != 200) {
                    return Answer.failed(start, "status " + response.statusCode() + ": "
                            + shortened(String.join(" ", lines.toList())));
                }
                return read(start, lines);
            }
        } catch (IOException | java.io.UncheckedIOException e) {
            return Answer.failed(start, reason(e));
        }
    }

    /** A server may close a connection that it has kept just when the next request comes: that is sent again, as browsers do. */
    private HttpResponse<Stream<String>> send(HttpRequest request) throws IOException, InterruptedException {
        for (int left = KEPT;; left--) {
            try {
                return http.send(request, HttpResponse.BodyHandlers.ofLines());
            } catch (IOException closed) {
                if (left == 0 || !String.valueOf(closed.getMessage()).contains(NOTHING_CAME)) {
                    throw closed;
                }
            }
        }
    }

    private Answer read(long start, Stream<String> lines) {
        var chunks = new ArrayList<Long>();
        int counted = 0;
        for (String line : (Iterable<String>) lines::iterator) {
            if (!line.startsWith(DATA)) {
                continue;
            }
            long now = System.nanoTime();
            String data = line.substring(DATA.length()).strip();
            if (data.equals(DONE)) {
                break;
            }
            JsonNode event;
            try {
                event = json.readTree(data);
            } catch (JacksonException e) {
                return Answer.failed(start, "an event that is not JSON: " + shortened(data));
            }
            if (event.has("error")) {
                return Answer.failed(start, "error event: " + shortened(event.path("error").toString()));
            }
            counted = Math.max(counted, event.path("usage").path("completion_tokens").asInt(0));
            // The last event may bring nothing but why it is over, or the usage.
            JsonNode choice = event.path("choices").path(0);
            boolean token = choice.path("text").isString()
                    && (!choice.path("text").stringValue().isEmpty() || choice.path("finish_reason").isMissingNode()
                            || choice.path("finish_reason").isNull());
            if (token) {
                chunks.add(now);
            }
        }
        if (chunks.isEmpty()) {
            return Answer.failed(start, "the stream ended without a token");
        }
        return new Answer(start, chunks, System.nanoTime(), counted > 0 ? counted : chunks.size(), Optional.empty());
    }

    private HttpRequest.Builder request(String path) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(plan.url().toString().replaceAll("/+$", "") + path));
        plan.apiKey().ifPresent(key -> request.header("Authorization", "Bearer " + key));
        return request;
    }

    private String body(String model) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("model", model);
        body.put("prompt", random.ints(plan.inputTokens(), plan.firstToken(), plan.lastToken() + 1).boxed().toList());
        body.put("max_tokens", plan.outputTokens());
        body.put("temperature", plan.temperature());
        body.put("ignore_eos", true);
        body.put("stream", true);
        body.put("stream_options", Map.of("include_usage", true));
        return json.writeValueAsString(body);
    }

    private static String reason(Exception e) {
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getClass().getSimpleName() + ": " + e.getMessage();
    }

    private static String shortened(String text) {
        return text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "…";
    }

    @Override
    public void close() {
        http.shutdownNow();
        clients.shutdownNow();
    }
}
