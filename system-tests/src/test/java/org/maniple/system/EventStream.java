package org.maniple.system;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Server-sent events, read on a thread of their own so that a stream that hangs fails a test instead of hanging it. */
final class EventStream {

    /** What ends OpenAI's streams. */
    static final String DONE = "[DONE]";

    private static final Duration LIMIT = Duration.ofSeconds(120);
    private static final JsonMapper JSON = new JsonMapper();

    private sealed interface Item {
        record Event(String data) implements Item {}

        record End(String problem) implements Item {}
    }

    private final BlockingQueue<Item> items = new LinkedBlockingQueue<>();
    private final List<String> read = new ArrayList<>();

    EventStream(Stream<String> lines) {
        Thread.ofVirtual().start(() -> {
            String problem = "";
            try (lines) {
                lines.filter(line -> line.startsWith("data:"))
                        .forEach(line -> items.add(new Item.Event(line.substring(5).strip())));
            } catch (RuntimeException e) {
                problem = String.valueOf(e.getMessage());
            }
            items.add(new Item.End(problem));
        });
    }

    /**
     * How a stream went.
     *
     * @param events the JSON of all events
     * @param done whether its last one was {@link #DONE}
     * @param problem how the connection broke; empty if it was closed in order
     */
    record Whole(List<JsonNode> events, boolean done, String problem) {

        /** The text of a chat. */
        String chatText() {
            var text = new StringBuilder();
            for (JsonNode event : events) {
                for (JsonNode choice : event.path("choices")) {
                    text.append(choice.path("delta").path("content").asString(""));
                }
            }
            return text.toString();
        }

        /** The tokens of completions that return them. */
        List<Integer> tokens() {
            var tokens = new ArrayList<Integer>();
            for (JsonNode event : events) {
                for (JsonNode choice : event.path("choices")) {
                    choice.path("token_ids").forEach(id -> tokens.add(id.asInt()));
                }
            }
            return tokens;
        }

        /** Why the only choice ended. */
        String finishReason() {
            return events.stream().flatMap(event -> event.path("choices").valueStream())
                    .map(choice -> choice.path("finish_reason").asString("")).filter(reason -> !reason.isEmpty())
                    .reduce((first, second) -> second).orElse("");
        }
    }

    /** How many events have come by now. */
    int arrived() {
        return read.size() + items.size();
    }

    /** Waits until a number of events have come. */
    void awaitEvents(int count) {
        while (read.size() < count) {
            switch (next(LIMIT)) {
                case Item.Event event -> read.add(event.data());
                case Item.End end ->
                    throw new AssertionError("the stream ended [" + end.problem() + "] after the events " + read);
            }
        }
    }

    /** Reads to the end, which must come within a limit. */
    Whole rest(Duration limit) {
        long deadline = System.nanoTime() + limit.toNanos();
        while (true) {
            switch (next(Duration.ofNanos(deadline - System.nanoTime()))) {
                case Item.Event event -> read.add(event.data());
                case Item.End end -> {
                    boolean done = !read.isEmpty() && read.getLast().equals(DONE);
                    return new Whole(read.stream().filter(data -> !data.equals(DONE)).map(JSON::readTree).toList(), done,
                            end.problem());
                }
            }
        }
    }

    private Item next(Duration limit) {
        try {
            Item item = items.poll(limit.toNanos(), TimeUnit.NANOSECONDS);
            if (item == null) {
                throw new AssertionError("the stream hangs after the events " + read);
            }
            return item;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }
}
