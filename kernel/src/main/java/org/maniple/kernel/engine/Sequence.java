package org.maniple.kernel.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.TokenLogprob;

/** A request between admission and end: its tokens so far, how far they are computed, and its KV blocks. Used by the engine's thread alone. */
final class Sequence {

    private static final int[] NO_BLOCKS = {};

    final long number;
    final GenerationRequest request;
    final SamplingPlan plan;
    final RequestOutput output;
    final RequestTimes times;
    final int promptLength;
    /** Prompt and output together may become this long. */
    final int maxLength;

    final List<TokenLogprob> promptLogprobs = new ArrayList<>();
    /** Set by any thread. */
    volatile boolean cancelled;

    private int[] tokens;
    private int length;
    private int computed;
    private int[] blocks = NO_BLOCKS;
    private int home;
    private boolean inFlight;

    Sequence(long number, GenerationRequest request, SamplingPlan plan, RequestOutput output, RequestTimes times, int maxLength) {
        this.number = number;
        this.request = request;
        this.plan = plan;
        this.output = output;
        this.times = times;
        this.maxLength = maxLength;
        promptLength = request.prompt().length;
        tokens = request.prompt().clone();
        length = promptLength;
    }

    int[] tokens() {
        return tokens;
    }

    int length() {
        return length;
    }

    int outputLength() {
        return length - promptLength;
    }

    /** Positions whose keys and values lie in the cache. */
    int computed() {
        return computed;
    }

    boolean decoding() {
        return computed >= promptLength;
    }

    boolean wantsPromptLogprobs() {
        return request.sampling().promptLogprobs().isPresent();
    }

    boolean inFlight() {
        return inFlight;
    }

    void depart() {
        inFlight = true;
    }

    /** Its batch is back. */
    void arrive(int newlyComputed) {
        inFlight = false;
        computed += newlyComputed;
    }

    void append(int token) {
        if (length == tokens.length) {
            tokens = Arrays.copyOf(tokens, length + 1);
        }
        tokens[length++] = token;
    }

    int[] blocks() {
        return blocks;
    }

    /** Where it has been admitted. */
    int home() {
        return home;
    }

    /** Has been admitted: room for all that it may become is made now, since steps do not allocate. */
    void settle(int itsHome, int[] reserved) {
        tokens = Arrays.copyOf(tokens, maxLength);
        output.reserve(maxLength - promptLength);
        home = itsHome;
        blocks = reserved;
    }

    int[] letGo() {
        int[] held = blocks;
        blocks = NO_BLOCKS;
        return held;
    }
}
