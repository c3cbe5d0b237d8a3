package org.maniple.kernel.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.ScheduledRequest;
import org.maniple.api.engine.TokenLogprob;

/**
 * A request until its end: its tokens so far, how far they are computed, and its KV blocks. Preempted, it loses its blocks and nothing
 * else: its tokens stay, and are computed anew, so that nothing is chosen or delivered twice. Used by the engine's thread alone.
 */
final class Sequence {

    private static final int[] NO_BLOCKS = {};
    private static final long[] NO_KEYS = {};

    final long number;
    final GenerationRequest request;
    final ScheduledRequest scheduled;
    final SamplingPlan plan;
    /** Where its rows go if it wants a vector, and no tokens. */
    final @Nullable Pool pool;
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
    private int begun;
    private int[] blocks = NO_BLOCKS;
    private int held;
    private long[] keys = NO_KEYS;
    private int keyCount;
    private int published;
    private int cached;
    private int home;
    private boolean lostBlocks;
    private boolean inFlight;
    private boolean preempted;
    /** Tokens behind the known ones that are guessed and take part in the batch in flight. */
    private int drafted;
    /** Whether the token behind the known ones has been guessed by a pass, for the next batch. */
    private boolean foretold;

    Sequence(long number, GenerationRequest request, SamplingPlan plan, RequestOutput output, RequestTimes times, int maxLength) {
        this(number, request, plan, null, output, times, maxLength);
    }

    Sequence(long number, GenerationRequest request, SamplingPlan plan, @Nullable Pool pool, RequestOutput output,
            RequestTimes times, int maxLength) {
        this.pool = pool;
        this.number = number;
        this.request = request;
        this.plan = plan;
        this.output = output;
        this.times = times;
        this.maxLength = maxLength;
        promptLength = request.prompt().length;
        scheduled = new ScheduledRequest(number, request.priority(), promptLength);
        tokens = request.prompt().clone();
        length = promptLength;
    }

    /** Whether it has never lost its blocks. */
    boolean isFirstTry() {
        return !lostBlocks;
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

    /** Whether the rows of all tokens of its prompt are needed that are still to be computed. */
    boolean needsAllRows() {
        return lacksPromptLogprobs() || pool != null && pool.needsAllRows();
    }

    /** Whether there are log-probabilities of its prompt to find out; not again after a preemption. */
    boolean lacksPromptLogprobs() {
        return wantsPromptLogprobs() && promptLogprobs.size() < promptLength - 1;
    }

    /** Tokens that are known and not computed. */
    int remaining() {
        return length - computed;
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

    /** A pass has guessed the next token. */
    void foretell(int token) {
        tokens[length] = token;
        foretold = true;
    }

    boolean foretold() {
        return foretold;
    }

    /** Takes guesses into the next batch, which stand behind its tokens. */
    void draft(int count) {
        drafted = count;
    }

    /** Guesses in the batch that is in flight or has come back, and which have neither been accepted nor given up. */
    int drafted() {
        return drafted;
    }

    /** Whether the next guess is a token. Asked before the token is appended. */
    boolean foresees(int token) {
        return drafted > 0 && tokens[length] == token;
    }

    /** The token appended last has been guessed: it is computed. */
    void accept() {
        drafted--;
        computed++;
    }

    void append(int token) {
        if (length == tokens.length) {
            tokens = Arrays.copyOf(tokens, length + 1);
        }
        tokens[length++] = token;
        foretold = false;
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

    /** Holds its last block no longer. */
    int drop() {
        return blocks[--held];
    }

    /**
     * Has in a block that is there already what its next positions need.
     *
     * @return how many tokens of the prompt that saves, for which a preemption does not count
     */
    int skip(int block, int positions) {
        hold(block);
        computed += positions;
        published = held;
        if (lostBlocks) {
            return 0;
        }
        cached += positions;
        output.cached(cached);
        return positions;
    }

    /**
     * Keys of what is in its blocks.
     *
     * @param block the last one that is needed; its tokens are there
     * @return the keys of this block and of all before it
     */
    long[] keysUpTo(int block, BlockHasher hasher, int blockSize) {
        if (keys.length < BlockHasher.WORDS * (block + 1)) {
            keys = Arrays.copyOf(keys, BlockHasher.WORDS * Math.max(block + 1, length / blockSize));
        }
        for (; keyCount <= block; keyCount++) {
            hasher.write(keys, keyCount, tokens, request.cacheSalt());
        }
        return keys;
    }

    /** Blocks that others have been told of, or have told it of. */
    int published() {
        return published;
    }

    void published(int blocks) {
        published = blocks;
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
        if (keys.length < BlockHasher.WORDS * mostBlocks) {
            keys = Arrays.copyOf(keys, BlockHasher.WORDS * mostBlocks);
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
        published = 0;
        lostBlocks = true;
    }
}
