package org.maniple.bench;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Streams completions from a running unit that rebalances its experts, and prints how long a stream had to wait for its next token at most, in
 * medians of that time. Every stream has the same prompt, so that some experts are used far more than others.
 */
public final class RebalanceGaps {

    private static final Pattern ROUNDS = Pattern.compile("\"rounds\" ?: ?(\\d+)");
    private static final Pattern ABANDONED = Pattern.compile("\"abandoned_rounds\" ?: ?(\\d+)");
    private static final Pattern BALANCEDNESS = Pattern.compile("\"balancedness\" ?: ?([0-9.]+)");
    private static final Pattern VERSION = Pattern.compile("\"version\" ?: ?(\\d+)");
    private static final Pattern MODEL = Pattern.compile("\"id\" ?: ?(\"[^\"]+\")");
    private static final Duration POLL = Duration.ofMillis(200);

    private final HttpClient client = HttpClient.newHttpClient();
    private final String url;
    private final ConcurrentLinkedQueue<Long> gaps = new ConcurrentLinkedQueue<>();
    private volatile boolean over;

    private RebalanceGaps(String url) {
        this.url = url;
    }

    /**
     * Runs and prints.
     *
     * @param arguments {@code --url} of the unit, {@code --streams} at a time, {@code --tokens} of each, {@code --rounds} of rebalancing to wait for,
     *     {@code --seconds} to run at most (for a unit that does not rebalance: to run)
     * @throws Exception if the unit cannot be reached
     */
    public static void main(String[] arguments) throws Exception {
        new RebalanceGaps(text(arguments, "--url", "http://127.0.0.1:8000")).run(number(arguments, "--streams", 4),
                number(arguments, "--tokens", 200), number(arguments, "--rounds", 20), number(arguments, "--seconds", 300));
    }

    private static String text(String[] arguments, String flag, String otherwise) {
        int at = List.of(arguments).indexOf(flag);
        return at < 0 ? otherwise : arguments[at + 1];
    }

    private static int number(String[] arguments, String flag, int otherwise) {
        return Integer.parseInt(text(arguments, flag, Integer.toString(otherwise)));
    }

    private void run(int streams, int tokens, int rounds, int seconds)
            throws IOException, InterruptedException, ExecutionException {
        String model = first(MODEL, get("/v1/models"));
        // Token ids make an event of every token, also where it has no text.
        String body = "{\"model\": " + model + ", \"prompt\": [5, 6, 7, 8, 5, 6, 7, 8], \"max_tokens\": " + tokens
                + ", \"temperature\": 0, \"ignore_eos\": true, \"return_token_ids\": true, \"stream\": true}";
        stream(body);
        gaps.clear();
        int before = rounds();
        long end = System.nanoTime() + Duration.ofSeconds(seconds).toNanos();
        try (var threads = Executors.newFixedThreadPool(streams)) {
            List<Future<?>> all = IntStream.range(0, streams).<Future<?>>mapToObj(i -> threads.submit(() -> {
                while (!over) {
                    stream(body);
                }
                return i;
            })).toList();
            while (rounds() - before < rounds && System.nanoTime() < end && all.stream().noneMatch(Future::isDone)) {
                Thread.sleep(POLL);
            }
            over = true;
            for (Future<?> each : all) {
                each.get();
            }
        }
        print(before);
    }

    private int rounds() throws IOException, InterruptedException {
        return Integer.parseInt(first(ROUNDS, get("/v1/cluster/experts")));
    }

    private static String first(Pattern pattern, String text) {
        Matcher matcher = pattern.matcher(text);
        if (!matcher.find()) {
            throw new IllegalStateException("no " + pattern + " in " + text);
        }
        return matcher.group(1);
    }

    private String get(String path) throws IOException, InterruptedException {
        HttpResponse<String> response = client.send(HttpRequest.newBuilder(URI.create(url + path)).build(),
                HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IllegalStateException(path + " answers " + response.statusCode() + ": " + response.body());
        }
        return response.body();
    }

    /** One request; keeps the times between its tokens. */
    private void stream(String body) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + "/v1/completions"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body)).build();
        HttpResponse<Stream<String>> response = client.send(request, HttpResponse.BodyHandlers.ofLines());
        try (Stream<String> lines = response.body()) {
            if (response.statusCode() != 200) {
                throw new IllegalStateException("status " + response.statusCode() + ": " + lines.toList());
            }
            long[] last = new long[1];
            lines.filter(line -> line.startsWith("data: {") && (line.contains("\"token_ids\":[") || line.contains("\"error\"")))
                    .forEach(line -> {
                        if (line.contains("\"error\"")) {
                            throw new IllegalStateException(line);
                        }
                        long now = System.nanoTime();
                        if (last[0] != 0) {
                            gaps.add(now - last[0]);
                        }
                        last[0] = now;
                    });
        }
    }

    private void print(int before) throws IOException, InterruptedException {
        long[] sorted = gaps.stream().mapToLong(Long::longValue).sorted().toArray();
        String status = get("/v1/cluster/experts");
        double median = sorted[sorted.length / 2];
        System.out.printf(Locale.ROOT, "rounds %d (given up: %s), layers changed %d times in all, balancedness now %.3f%n",
                Integer.parseInt(first(ROUNDS, status)) - before, first(ABANDONED, status),
                VERSION.matcher(status).results().mapToInt(m -> Integer.parseInt(m.group(1))).sum(),
                BALANCEDNESS.matcher(status).results().mapToDouble(m -> Double.parseDouble(m.group(1))).average()
                        .orElse(Double.NaN));
        System.out.printf(Locale.ROOT, "tokens %d; time to the next one: median %.2f ms%n", sorted.length, median / 1e6);
        for (double part : new double[] {0.9, 0.99, 0.999, 1}) {
            long gap = sorted[(int) Math.min(sorted.length - 1, Math.round(part * sorted.length))];
            System.out.printf(Locale.ROOT, "  %5.1f %%: %8.2f ms = %5.2f medians%n", 100 * part, gap / 1e6, gap / median);
        }
        System.out.printf(Locale.ROOT, "longer than two medians: %d of %d%n",
                Arrays.stream(sorted).filter(gap -> gap > 2 * median).count(), sorted.length);
    }
}
