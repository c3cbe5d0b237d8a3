package org.maniple.kernel.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.TokenLogprob;

/**
 * A request until its end: its tokens so far, how far they are computed, and its KV blocks. Preempted, it loses its blocks and nothing
 * else: its tokens stay, and are computed anew, so that nothing is chosen or delivered twice. Used by the engine's thread alone.
 */
final class Sequence {

    private static final int[] NO_BLOCKS = {};

    final long number;
    final GenerationRequest request;
    final SamplingPlan plan;
    final RequestOutput output;
    final int promptLength;
    /** Prompt and output together may become this long. */
    final int maxLength;

    final List<TokenLogprob> promptLogprobs = new ArrayList<>();
    /** Set by any thread. */
    volatile boolean cancelled;

    private int[] tokens;
    private int length;
    private int computed;
    private int begun;
    private int[] blocks = NO_BLOCKS;
    private int held;
    private int home;
    private boolean inFlight;
    private boolean preempted;

    Sequence(long number, GenerationRequest request, SamplingPlan plan, RequestOutput output, int maxLength) {
        this.number = number;
        this.request = request;
        this.plan = plan;
        this.output = output;
        this.maxLength = maxLength;
        promptLength = request.prompt().length;
        tokens = request.prompt().clone();
        length = promptLength;
    }

    /** Whether it is served first. */
    boolean isBefore(Sequence other) {
        return number < other.number;
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

    /** Whether all has been computed that was there when it was admitted. */
    boolean decoding() {
        return computed >= begun;
    }

    boolean wantsPromptLogprobs() {
        return request.sampling().promptLogprobs().isPresent();
    }

    /** Whether there are log-probabilities of its prompt to find out; not again after a preemption. */
    boolean lacksPromptLogprobs() {
        return wantsPromptLogprobs() && promptLogprobs.size() < promptLength - 1;
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

    /** Its block table; what counts is the first {@link #heldBlocks} entries. */
    int[] blocks() {
        return blocks;
    }

    int heldBlocks() {
        return held;
    }

    void hold(int block) {
        blocks[held++] = block;
    }

    /** Where it has been admitted. */
    int home() {
        return home;
    }

    /** Has been admitted: room for all that it may become is made now, since steps do not allocate. */
    void settle(int itsHome, int mostBlocks) {
        if (tokens.length < maxLength) {
            tokens = Arrays.copyOf(tokens, maxLength);
        }
        if (blocks.length < mostBlocks) {
            blocks = new int[mostBlocks];
        }
        output.reserve(maxLength - promptLength);
        home = itsHome;
        begun = length;
        preempted = false;
    }

    /** Whether it has lost its blocks, or does so once it is in no batch in flight, and then waits again. */
    boolean preempted() {
        return preempted;
    }

    void preempt() {
        preempted = true;
    }

    /** Its blocks have been taken. */
    void letGo() {
        held = 0;
        computed = 0;
    }
}
