package org.maniple.serve.openai;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.maniple.api.engine.Engine;
import org.maniple.api.engine.Generation;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.GenerationEvent.Failed;
import org.maniple.api.engine.GenerationEvent.Finished;
import org.maniple.api.engine.GenerationEvent.Tokens;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.Sampling;

/**
 * A request that the engine works on: one generation for each choice. The engine's events wait in a queue that the event loop of the
 * connection empties, for a stream only as fast as its reader takes them. A reader that is too far behind is cut off.
 */
final class Run {

    /** A generation to start, the choice that it becomes, and how it is treated beside others. */
    record Part(Choice choice, Sampling sampling, Treatment treatment) {}

    private record Arrival(Choice choice, GenerationEvent event) {}

    private static final Logger LOG = System.getLogger(Run.class.getName());

    private static final Pattern PREFIX = Pattern.compile("^(chatcmpl-|cmpl-|resp_|msg_)");

    private final String id;
    private final Exchange exchange;
    private final ReplyFormat format;
    private final ReplyOptions options;
    private final List<Part> parts;
    private final List<Choice> choices;
    private final Workers workers;
    private final TimeLimits limits;
    private final Consumer<Run> onEnd;

    private final List<Generation> generations = new ArrayList<>(); // guarded by itself
    private boolean cancelled; // guarded by generations

    // The rest is used on the event loop only.
    private final ArrayDeque<Arrival> arrivals = new ArrayDeque<>();
    private boolean open;
    private boolean over;
    private int ended;
    private @Nullable Future<?> wholeLimit;
    private @Nullable Future<?> firstTokenLimit;

    /**
     * A request that has not been started.
     *
     * @param id the reply's id
     * @param limits how long it may take
     * @param onEnd called once when it has ended, however it did
     */
    Run(String id, Exchange exchange, ReplyFormat format, ReplyOptions options, List<Part> parts, Workers workers,
            TimeLimits limits, Consumer<Run> onEnd) {
        this.limits = limits;
        this.id = id;
        this.exchange = exchange;
        this.format = format;
        this.options = options;
        this.parts = List.copyOf(parts);
        this.choices = parts.stream().map(Part::choice).toList();
        this.workers = workers;
        this.onEnd = onEnd;
    }

    String id() {
        return id;
    }

    int choices() {
        return choices.size();
    }

    /** Tokens of the longest choice so far. Used on the event loop. */
    int longestOutput() {
        return choices.stream().mapToInt(Choice::tokenCount).max().orElse(0);
    }

    /** The id by which a client may know this request: of the reply, of the request, or without what the route puts before it. */
    boolean isCalled(String name) {
        return id.equals(name) || exchange.id().equals(name) || PREFIX.matcher(id).replaceFirst("").equals(name);
    }

    /**
     * Has the engine begin. Called on a worker.
     *
     * @param number one of its own; the engine may still know the id from a request that has just ended
     * @param tracing makes spans of it, if anybody wants some
     * @throws org.maniple.api.engine.RefusedException if the engine refuses one of the generations; the others are cancelled then
     */
    void start(Engine engine, long number, Optional<Tracing> tracing) {
        exchange.whenDisconnected(this::abandon);
        try {
            for (Part part : parts) {
                var request = new GenerationRequest(id + "-" + part.choice().index() + "-" + number,
                        part.choice().prompt().tokens(), part.sampling(), part.treatment().group(), part.treatment().priority(),
                        part.treatment().cacheSalt());
                keep(submit(engine, request, part, tracing));
            }
        } catch (RuntimeException e) {
            cancel();
            onLoop(this::close);
            throw e;
        }
        onLoop(this::open);
    }

    private Generation submit(Engine engine, GenerationRequest request, Part part, Optional<Tracing> tracing) {
        tracing.ifPresent(spans -> spans.begin(exchange.trace(), request, parts.size()));
        try {
            return engine.submit(request, event -> arrived(part.choice(), event));
        } catch (RuntimeException e) {
            tracing.ifPresent(spans -> spans.forget(request.id()));
            throw e;
        }
    }

    /** Ends the request as soon as possible; what there is by then is answered. Safe for use by several threads. */
    void cancel() {
        List<Generation> running;
        synchronized (generations) {
            cancelled = true;
            running = List.copyOf(generations);
        }
        running.forEach(Generation::cancel);
    }

    private void abandon() {
        cancel();
        onLoop(this::close);
    }

    private void keep(Generation generation) {
        boolean late;
        synchronized (generations) {
            generations.add(generation);
            late = cancelled;
        }
        if (late) {
            generation.cancel();
        }
    }

    private void arrived(Choice choice, GenerationEvent event) {
        onLoop(() -> {
            if (!over) {
                arrivals.add(new Arrival(choice, event));
                if (open) {
                    advance();
                }
            }
        });
    }

    private void open() {
        if (over) {
            return;
        }
        open = true;
        wholeLimit = after(limits.whole(), limit -> end(ApiException.of(504, "The request took longer than " + seconds(limit)
                + " s, which is all the time that it, or this server (request-timeout), gives it.")));
        firstTokenLimit = after(limits.firstToken(), limit -> end(ApiException.later(5, "The request had no token within "
                + seconds(limit) + " s (first-token-timeout): there is too much to do; try again later.")));
        if (options.stream()) {
            exchange.openStream();
            exchange.whenWritable(this::advance);
            choices.forEach(choice -> format.begin(exchange, choice));
        }
        advance();
    }

    private void advance() {
        while (!over && !arrivals.isEmpty() && (!options.stream() || exchange.isWritable())) {
            Arrival next = arrivals.remove();
            try {
                handle(next.choice(), next.event());
            } catch (RuntimeException e) {
                LOG.log(Level.ERROR, "reply " + id + " cannot be written", e);
                abandon();
                exchange.abandon();
            }
        }
        if (!over && options.stream() && arrivals.size() > exchange.limits().streamEvents()) {
            abandon();
            exchange.abandon();
        }
    }

    private void handle(Choice choice, GenerationEvent event) {
        if (choice.ended()) {
            return;
        }
        switch (event) {
            case GenerationEvent.Prompt prompt -> {
                choice.keepPromptLogprobs(prompt.prompt());
                if (options.stream()) {
                    format.prompt(exchange, choice, prompt.prompt());
                }
            }
            case GenerationEvent.Embedding vector -> {
                // Not asked for.
            }
            case Tokens tokens -> {
                stop(firstTokenLimit);
                List<AnswerPart> parts = choice.take(tokens);
                if (options.stream()) {
                    format.delta(exchange, choice, tokens, parts);
                }
            }
            case Finished finished -> {
                List<AnswerPart> rest = choice.finish(finished);
                if (options.stream()) {
                    format.end(exchange, choice, rest);
                }
                if (++ended == choices.size()) {
                    complete();
                }
            }
            case Failed failed -> end(ApiException.engineDead(failed.message()));
        }
    }

    private void complete() {
        close();
        if (!options.stream()) {
            respond();
            return;
        }
        if (options.includeUsage()) {
            format.usage(exchange, choices);
        }
        format.complete(exchange, choices);
        exchange.endStream(format.saysDone());
    }

    /** A long reply with many log-probabilities takes a while to write; that is not for the event loop if it can be helped. */
    private void respond() {
        Runnable write = () -> {
            try {
                exchange.respond(200, json -> format.whole(json, choices));
            } catch (RuntimeException e) {
                LOG.log(Level.ERROR, "reply " + id + " cannot be written", e);
                exchange.fail(ApiException.of(500, "The server failed at this reply; its log tells more under " + id + "."));
            }
        };
        try {
            workers.execute(write);
        } catch (ApiException busy) {
            write.run();
        }
    }

    /** Ends it with a problem, which a stream that has begun shows as its last event. */
    private void end(ApiException problem) {
        if (over) {
            return;
        }
        close();
        cancel();
        if (options.stream()) {
            format.failed(exchange, choices, problem);
            exchange.endStream(format.saysDone());
        } else {
            exchange.fail(problem);
        }
    }

    private void close() {
        if (!over) {
            over = true;
            arrivals.clear();
            stop(wholeLimit);
            stop(firstTokenLimit);
            onEnd.accept(this);
        }
    }

    private @Nullable Future<?> after(Optional<Duration> limit, Consumer<Duration> action) {
        return limit.isEmpty()
                ? null
                : exchange.loop().schedule(() -> action.accept(limit.get()), limit.get().toMillis(), TimeUnit.MILLISECONDS);
    }

    private static void stop(@Nullable Future<?> timer) {
        if (timer != null) {
            timer.cancel(false);
        }
    }

    private static String seconds(Duration limit) {
        return BigDecimal.valueOf(limit.toMillis(), 3).stripTrailingZeros().toPlainString();
    }

    private void onLoop(Runnable task) {
        try {
            exchange.loop().execute(task);
        } catch (RejectedExecutionException e) {
            // The server has closed meanwhile: nobody waits for the reply.
            cancel();
        }
    }
}
