package org.maniple.system;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Many clients that read streams of completions, each on a connection of its own. Every tenth goes away in the middle of its answer, without a word,
 * as a browser does whose window is closed.
 *
 * @param url of the server
 * @param clients how many there are at a time
 * @param tokens of a whole answer
 * @param vocabulary token ids of prompts are below it
 */
record StreamLoad(URI url, int clients, int tokens, int vocabulary) {

    private static final Duration LIMIT = Duration.ofSeconds(120);
    private static final int EVERY = 10;

    /**
     * What became of the requests.
     *
     * @param whole answers with all of their tokens
     * @param left those whose clients went away
     * @param problems everything else
     */
    record Outcome(int whole, int left, List<String> problems) {}

    private enum End {
        WHOLE, LEFT
    }

    /** Sends requests; the prompts of different seeds differ. */
    Outcome run(int requests, long seed) throws InterruptedException {
        var next = new AtomicInteger();
        var ends = new ArrayList<End>();
        var problems = new ArrayList<String>();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> all = new ArrayList<>();
            for (int client = 0; client < clients; client++) {
                all.add(threads.submit(() -> {
                    for (int i = next.getAndIncrement(); i < requests; i = next.getAndIncrement()) {
                        try {
                            End end = ask(new SplittableRandom(seed * requests + i), i % EVERY == EVERY - 1);
                            synchronized (ends) {
                                ends.add(end);
                            }
                        } catch (IOException | AssertionError problem) {
                            synchronized (ends) {
                                problems.add("request " + i + ": " + problem);
                            }
                        }
                    }
                }));
            }
            for (Future<?> one : all) {
                one.get();
            }
        } catch (ExecutionException e) {
            throw new AssertionError(e.getCause());
        }
        int whole = (int) ends.stream().filter(End.WHOLE::equals).count();
        return new Outcome(whole, ends.size() - whole, List.copyOf(problems));
    }

    private End ask(SplittableRandom random, boolean leaves) throws IOException {
        int length = 16 + random.nextInt(49);
        String prompt = IntStream.range(0, length).mapToObj(i -> Integer.toString(random.nextInt(vocabulary)))
                .collect(Collectors.joining(","));
        String body = "{\"prompt\":[" + prompt + "],\"max_tokens\":" + tokens
                + ",\"temperature\":0,\"ignore_eos\":true,\"stream\":true,\"return_token_ids\":true,\"stream_options\":{\"include_usage\":true}}";
        try (var socket = new Socket(url.getHost(), url.getPort())) {
            socket.setSoTimeout(Math.toIntExact(LIMIT.toMillis()));
            socket.getOutputStream().write(
                    ("POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
                            + "Content-Length: " + body.length() + "\r\n\r\n" + body).getBytes(StandardCharsets.US_ASCII));
            var lines = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            String status = lines.readLine();
            if (status == null || !status.startsWith("HTTP/1.1 200 ")) {
                throw new AssertionError(status + " " + lines.lines().collect(Collectors.joining(" ")));
            }
            return read(lines, leaves ? 1 + random.nextInt(tokens / 2) : Integer.MAX_VALUE);
        }
    }

    private End read(BufferedReader lines, int most) throws IOException {
        int events = 0;
        boolean complete = false;
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            if (line.equals("data: " + EventStream.DONE)) {
                if (!complete) {
                    throw new AssertionError("the stream ended without [" + tokens + "] tokens");
                }
                return End.WHOLE;
            }
            if (line.startsWith("data: ")) {
                if (line.contains("\"error\"")) {
                    throw new AssertionError(line);
                }
                complete |= line.contains("\"completion_tokens\":" + tokens + ",")
                        || line.contains("\"completion_tokens\":" + tokens + "}");
                if (++events > most) {
                    return End.LEFT;
                }
            }
        }
        throw new AssertionError("the connection was closed after " + events + " events");
    }
}
