package org.maniple.kernel.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.GenerationEvent.FinishReason;
import org.maniple.api.engine.GenerationEvent.Stop;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.TokenLogprob;
import org.maniple.api.text.TextCodec;

/**
 * What the engine's thread hands to the output thread about one request: tokens, and how it ends. The engine's thread appends and then
 * publishes the number of tokens; the output thread reads up to that number. So the step loop neither waits for text nor allocates for it,
 * and tokens that come faster than they are delivered arrive together.
 */
final class RequestOutput {

    private final GenerationRequest request;
    private final Consumer<GenerationEvent> listener;
    private final Optional<TextCodec> codec;
    private final AtomicReference<@Nullable Ending> ending = new AtomicReference<>();
    private final AtomicBoolean queued = new AtomicBoolean();

    private int[] tokens = new int[16];
    private @Nullable TokenLogprob[] logprobs = new TokenLogprob[0];
    private volatile List<TokenLogprob> promptLogprobs = List.of();
    private volatile int cachedTokens;
    private volatile float @Nullable [] embedding;
    private volatile int published;
    private volatile boolean delivered;

    private @Nullable TextStream text;
    private boolean promptSent;
    private int consumed;

    RequestOutput(GenerationRequest request, Consumer<GenerationEvent> listener, Optional<TextCodec> codec) {
        this.request = request;
        this.listener = listener;
        this.codec = codec;
    }

    // ---- the engine's side

    void prompt(List<TokenLogprob> entries) {
        promptLogprobs = entries;
    }

    /** The vector that was asked for; before the end. */
    void embedding(float[] values) {
        embedding = values;
    }

    /** Says how many tokens of the prompt need not be computed. */
    void cached(int count) {
        cachedTokens = count;
    }

    /** Makes room for tokens before the first one comes. */
    void reserve(int count) {
        if (tokens.length < count) {
            tokens = Arrays.copyOf(tokens, count);
        }
    }

    /** Appends a token; with the ending that it causes, which must be seen no later than the token. */
    void token(int token, @Nullable TokenLogprob logprob, @Nullable Ending end) {
        int index = published;
        if (index == tokens.length) {
            tokens = Arrays.copyOf(tokens, 2 * index);
        }
        tokens[index] = token;
        if (logprob != null) {
            if (index >= logprobs.length) {
                logprobs = Arrays.copyOf(logprobs, tokens.length);
            }
            logprobs[index] = logprob;
        }
        if (end != null) {
            end(end);
        }
        published = index + 1;
    }

    /** Ends the request unless it has been ended; the first ending counts. */
    void end(Ending how) {
        ending.compareAndSet(null, how);
    }

    /** Whether nothing more needs to be computed for it. */
    boolean ended() {
        return delivered || ending.get() != null;
    }

    // ---- the output thread's side

    /** Marks it as waiting for the output thread. Returns false if it waits already, or nothing more is to come. */
    boolean enqueue() {
        return !delivered && queued.compareAndSet(false, true);
    }

    /**
     * Hands what is there to the listener.
     *
     * @return whether the last event has been delivered
     */
    boolean deliver() {
        queued.set(false);
        if (delivered) {
            return false;
        }
        int available = published;
        Ending end = ending.get();
        if (end instanceof Ending.Failure(String message)) {
            return last(new GenerationEvent.Failed(message));
        }
        if (available > 0 && !promptSent) {
            promptSent = true;
            if (request.sampling().promptLogprobs().isPresent()) {
                listener.accept(new GenerationEvent.Prompt(promptLogprobs));
            }
        }
        if (available > consumed && deliverTokens(available, end)) {
            return true;
        }
        if (end instanceof Ending.Finish finish && consumed >= finish.tokens()) {
            float[] vector = embedding;
            if (vector != null && finish.reason() == FinishReason.STOP) {
                listener.accept(new GenerationEvent.Embedding(vector));
            }
            return finish(finish.reason(), finish.stop(), stream().finish());
        }
        return false;
    }

    /** Ends a request whose listener or text failed. Returns whether it had not ended. */
    boolean abandon(String message) {
        return !delivered && last(new GenerationEvent.Failed(message));
    }

    private TextStream stream() {
        if (text == null) {
            text = new TextStream(codec, request.prompt(), request.sampling());
        }
        return text;
    }

    private boolean deliverTokens(int available, @Nullable Ending end) {
        int first = consumed;
        int endingToken = end instanceof Ending.Finish finish && finish.reason() == FinishReason.STOP ? finish.tokens() - 1 : -1;
        var shown = new StringBuilder();
        while (consumed < available && stream().stopped().isEmpty()) {
            shown.append(stream().push(tokens[consumed], consumed == endingToken));
            consumed++;
        }
        boolean stopped = stream().stopped().isPresent();
        listener.accept(new GenerationEvent.Tokens(tokensFrom(first), shown.toString(), logprobsFrom(first)));
        return stopped && finish(FinishReason.STOP, Optional.empty(), "");
    }

    private List<Integer> tokensFrom(int first) {
        return Arrays.stream(tokens, first, consumed).boxed().toList();
    }

    private List<TokenLogprob> logprobsFrom(int first) {
        if (request.sampling().logprobs().isEmpty()) {
            return List.of();
        }
        var list = new ArrayList<TokenLogprob>(consumed - first);
        for (int i = first; i < consumed; i++) {
            TokenLogprob logprob = logprobs[i];
            if (logprob != null) {
                list.add(logprob);
            }
        }
        return List.copyOf(list);
    }

    private boolean finish(FinishReason reason, Optional<Stop> stop, String rest) {
        Optional<String> found = stream().stopped();
        return last(new GenerationEvent.Finished(
                found.isPresent() ? FinishReason.STOP : reason,
                found.isPresent() ? Optional.of(new Stop.Text(found.get())) : stop,
                rest,
                request.prompt().length,
                consumed,
                cachedTokens));
    }

    private boolean last(GenerationEvent event) {
        delivered = true;
        listener.accept(event);
        return true;
    }
}
