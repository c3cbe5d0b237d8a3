package org.maniple.kernel.step;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;
import org.maniple.api.step.Step;

/**
 * A step whose arrays are allocated once. Rank 0 fills it and encodes it; the other ranks decode the frame into theirs. Filling, encoding,
 * decoding and reading allocate nothing. One thread writes; several may read while nobody writes.
 *
 * <p>What a rank can derive is not in the frame ({@link StepFrame}): positions of rows, their spans, and the selected rows follow from
 * the spans, so that they cannot contradict each other.
 */
public final class StepBatch implements Step {

    /** A forward pass. */
    public static final int KIND_STEP = 1;
    /** The unit ends: ranks leave their loop. */
    public static final int KIND_SHUTDOWN = 2;
    /** Nothing to do; sent so that ranks know that rank 0 is there. */
    public static final int KIND_IDLE = 3;

    /** A pass that guesses further tokens from what a step has computed before. */
    public static final int KIND_DRAFT = 4;

    private final Limits limits;
    private final int blockNumbers;
    private final int vocabulary;

    private int kind = KIND_STEP;
    private long stepNumber;
    private boolean fullRows;
    private boolean hiddenRows;
    private boolean withoutLogits;

    private int tokens;
    final int[] token;
    private final int[] position;
    private final int[] spanOf;

    private int spans;
    final long[] sequence;
    final int[] spanHome;
    final int[] spanPosition;
    final int[] spanLength;
    final int[] spanRows;
    final int[] spanBlocks;
    final int[] spanSource;
    private final int[] spanStart;
    private final int[] blockStart;

    private int blocks;
    final int[] block;

    private int rows;
    private final int[] selected;
    /** For each home its first token, row and span; after the last one their numbers. */
    private final int[] tokenStart;
    private final int[] rowStart;
    private final int[] spanFirst;
    private int home;
    private int homeBlocks;

    private ExpertOrder order = ExpertOrder.NONE;
    private int round;
    private int chunk;
    private int expertVersion;

    /**
     * What a batch has room for. All ranks of a unit must use the same. With data parallelism the sequences are spread over <em>homes</em>, each
     * with its own KV blocks; the first four limits are those of each home.
     *
     * @param maxTokens tokens of all spans of a home together
     * @param maxSpans spans of a home
     * @param maxBlocks entries of all block tables of a home together
     * @param maxRows selected rows of a home
     * @param blockSize positions per KV block
     * @param homes how many groups of ranks have sequences of their own, at least 1
     */
    public record Limits(int maxTokens, int maxSpans, int maxBlocks, int maxRows, int blockSize, int homes) {

        /** Checks that there is room for something. */
        public Limits {
            if (maxTokens < 1 || maxSpans < 1 || maxBlocks < 1 || maxRows < 1 || blockSize < 1 || homes < 1) {
                throw new IllegalArgumentException("Limits of a step must be positive [" + maxTokens + " tokens, " + maxSpans
                        + " spans, " + maxBlocks + " blocks, " + maxRows + " rows, block size " + blockSize + ", " + homes
                        + " homes]");
            }
        }

        /**
         * The limits of a unit without data parallelism.
         *
         * @param maxTokens tokens of all spans together
         * @param maxSpans spans
         * @param maxBlocks entries of all block tables together
         * @param maxRows selected rows
         * @param blockSize positions per KV block
         */
        public Limits(int maxTokens, int maxSpans, int maxBlocks, int maxRows, int blockSize) {
            this(maxTokens, maxSpans, maxBlocks, maxRows, blockSize, 1);
        }

        /**
         * Tokens of all homes together.
         *
         * @return at most
         */
        public int allTokens() {
            return Math.multiplyExact(maxTokens, homes);
        }

        /**
         * Spans of all homes together.
         *
         * @return at most
         */
        public int allSpans() {
            return Math.multiplyExact(maxSpans, homes);
        }

        /**
         * Entries of the block tables of all homes together.
         *
         * @return at most
         */
        public int allBlocks() {
            return Math.multiplyExact(maxBlocks, homes);
        }

        /**
         * Selected rows of all homes together.
         *
         * @return at most
         */
        public int allRows() {
            return Math.multiplyExact(maxRows, homes);
        }
    }

    /** Which tokens of a span give a row of logits. */
    public enum Rows {
        /** None: a chunk of a prompt that does not end it. */
        NONE,
        /** The last token. */
        LAST,
        /** Every token, for log-probabilities of a prompt. */
        ALL;

        /**
         * How many rows a span gives.
         *
         * @param length its tokens
         * @return its rows of logits
         */
        public int count(int length) {
            return switch (this) {
                case NONE -> 0;
                case LAST -> 1;
                case ALL -> length;
            };
        }
    }

    /**
     * An empty batch.
     *
     * @param limits what it has room for
     * @param blockNumbers KV blocks that exist: block numbers are below it
     * @param vocabulary token ids that exist: ids are below it
     */
    public StepBatch(Limits limits, int blockNumbers, int vocabulary) {
        if (blockNumbers < 1 || vocabulary < 1) {
            throw new IllegalArgumentException(
                    "A step needs KV blocks [" + blockNumbers + "] and a vocabulary [" + vocabulary + "], both at least 1");
        }
        this.limits = limits;
        this.blockNumbers = blockNumbers;
        this.vocabulary = vocabulary;
        token = new int[limits.allTokens()];
        position = new int[limits.allTokens()];
        spanOf = new int[limits.allTokens()];
        sequence = new long[limits.allSpans()];
        spanHome = new int[limits.allSpans()];
        spanPosition = new int[limits.allSpans()];
        spanLength = new int[limits.allSpans()];
        spanRows = new int[limits.allSpans()];
        spanBlocks = new int[limits.allSpans()];
        spanSource = new int[limits.allSpans()];
        spanStart = new int[limits.allSpans()];
        blockStart = new int[limits.allSpans()];
        block = new int[limits.allBlocks()];
        selected = new int[limits.allRows()];
        tokenStart = new int[limits.homes() + 1];
        rowStart = new int[limits.homes() + 1];
        spanFirst = new int[limits.homes() + 1];
    }

    /**
     * The bytes of the longest frame.
     *
     * @param limits what a batch has room for
     * @return bytes
     */
    public static long maxBytes(Limits limits) {
        return StepFrame.bytes(limits.allTokens(), limits.allSpans(), limits.allBlocks());
    }

    /**
     * Empties it for a forward pass.
     *
     * @param number counts steps, for messages and to notice a lost one
     */
    public void clear(long number) {
        clear(KIND_STEP, number);
    }

    /**
     * Empties it for a pass that guesses further tokens.
     *
     * @param number that of the step whose rows it goes on from
     */
    public void clearForDraft(long number) {
        clear(KIND_DRAFT, number);
    }

    /**
     * Says where the span that was added last, of a pass that guesses, goes on from: its tokens follow those of some rows of the step.
     *
     * @param row the first of these rows, at the position of the span's first token
     */
    public void goesOnFrom(int row) {
        Objects.checkFromIndexSize(row, spanLength[spans - 1], limits.allTokens());
        spanSource[spans - 1] = row;
    }

    /**
     * Makes it a frame without tokens.
     *
     * @param signal {@link #KIND_SHUTDOWN} or {@link #KIND_IDLE}
     * @param number as for {@link #clear(long)}
     */
    public void signal(int signal, long number) {
        if (signal != KIND_SHUTDOWN && signal != KIND_IDLE) {
            throw new IllegalArgumentException("No such signal [" + signal + "]; there are shutdown and idle");
        }
        clear(signal, number);
    }

    private void clear(int newKind, long number) {
        kind = newKind;
        stepNumber = number;
        fullRows = false;
        hiddenRows = false;
        withoutLogits = false;
        order = ExpertOrder.NONE;
        round = 0;
        chunk = 0;
        expertVersion = 0;
        tokens = 0;
        spans = 0;
        blocks = 0;
        rows = 0;
        home = 0;
        homeBlocks = 0;
        Arrays.fill(tokenStart, 0);
        Arrays.fill(rowStart, 0);
        Arrays.fill(spanFirst, 0);
    }

    /**
     * Appends a run of tokens of one sequence of the only home.
     *
     * @param sequenceId the sequence
     * @param firstPosition position of its first token here
     * @param ids holds the tokens
     * @param from where they begin in {@code ids}
     * @param count how many there are
     * @param which which of them give logits
     * @param table the sequence's block table, at least up to the last token here
     * @param tableLength entries of it that count
     * @throws IllegalArgumentException if there is no room for it, or it is no valid span
     */
    public void addSpan(
            long sequenceId, int firstPosition, int[] ids, int from, int count, Rows which, int[] table, int tableLength) {
        addSpan(0, sequenceId, firstPosition, ids, from, count, which, table, tableLength);
    }

    /**
     * Appends a run of tokens of one sequence. The spans of a home follow each other, and homes come in ascending order.
     *
     * @param spanOfHome the home of the sequence
     * @param sequenceId the sequence
     * @param firstPosition position of its first token here
     * @param ids holds the tokens
     * @param from where they begin in {@code ids}
     * @param count how many there are
     * @param which which of them give logits
     * @param table the sequence's block table, at least up to the last token here
     * @param tableLength entries of it that count
     * @throws IllegalArgumentException if there is no room for it, or it is no valid span
     */
    public void addSpan(int spanOfHome, long sequenceId, int firstPosition, int[] ids, int from, int count, Rows which,
            int[] table,
            int tableLength) {
        Objects.checkFromIndexSize(from, count, ids.length);
        Objects.checkFromIndexSize(0, tableLength, table.length);
        if (spans == limits.allSpans() || count > limits.allTokens() - tokens || tableLength > limits.allBlocks() - blocks) {
            throw noRoom(count, tableLength);
        }
        spanHome[spans] = spanOfHome;
        sequence[spans] = sequenceId;
        spanPosition[spans] = firstPosition;
        spanLength[spans] = count;
        spanRows[spans] = which.ordinal();
        spanSource[spans] = 0;
        spanBlocks[spans] = tableLength;
        System.arraycopy(ids, from, token, tokens, count);
        System.arraycopy(table, 0, block, blocks, tableLength);
        try {
            derive(spans);
        } catch (StepFrameException invalid) {
            throw new IllegalArgumentException("Not a valid span: " + invalid.getMessage(), invalid);
        }
        advance(count, tableLength);
    }

    /** Appends some tokens of a span of another batch. */
    void addPart(StepBatch source, int span, int from, int count, Rows which) {
        int table = source.spanBlocks[span];
        if (spans == limits.allSpans() || count > limits.allTokens() - tokens || table > limits.allBlocks() - blocks) {
            throw noRoom(count, table);
        }
        spanHome[spans] = source.spanHome[span];
        sequence[spans] = source.sequence[span];
        spanPosition[spans] = source.spanPosition[span] + from;
        spanLength[spans] = count;
        spanRows[spans] = which.ordinal();
        spanSource[spans] = 0;
        spanBlocks[spans] = table;
        System.arraycopy(source.token, source.spanStart[span] + from, token, tokens, count);
        System.arraycopy(source.block, source.blockStart[span], block, blocks, table);
        derive(spans);
        advance(count, table);
    }

    private IllegalArgumentException noRoom(int count, int tableLength) {
        return new IllegalArgumentException("No room in step " + stepNumber + " for a span of " + count + " tokens and "
                + tableLength + " blocks beside " + this + "; there is room for " + limits);
    }

    private void advance(int count, int tableLength) {
        spans++;
        tokens += count;
        blocks += tableLength;
        homeBlocks += tableLength;
        for (int later = home + 1; later <= limits.homes(); later++) {
            tokenStart[later] = tokens;
            rowStart[later] = rows;
            spanFirst[later] = spans;
        }
    }

    /**
     * Says whether the whole rows of logits are wanted beside the best candidates.
     *
     * @param needed whether they are
     */
    public void needFullRows(boolean needed) {
        fullRows = needed;
    }

    /**
     * Says whether rows of the hidden state are wanted.
     *
     * @param needed whether they are
     * @param alone whether nobody wants logits, so that they need not be computed
     */
    public void needHiddenRows(boolean needed, boolean alone) {
        hiddenRows = needed;
        withoutLogits = needed && alone;
    }

    /**
     * Says what is to happen to the experts of all ranks before this step runs.
     *
     * @param what the order
     * @param ofRound the round that it belongs to, from 1; 0 without an order
     * @param ofChunk which part of the round is committed, from 0; 0 for other orders
     * @param version how many orders to commit there have been in all, this one included: every rank compares it with its own count
     * @throws IllegalArgumentException if these do not fit together
     */
    public void orderExperts(ExpertOrder what, int ofRound, int ofChunk, int version) {
        String wrong = what.problem(ofRound, ofChunk, version);
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException(wrong);
        }
        order = what;
        round = ofRound;
        chunk = ofChunk;
        expertVersion = version;
    }

    /**
     * Writes the frame.
     *
     * @param frame at least {@link #maxBytes} long, or as long as this batch needs
     * @return the bytes written, from the beginning
     */
    public long encode(MemorySegment frame) {
        return StepFrame.write(this, frame);
    }

    /**
     * Reads a frame and checks everything in it. After an exception the batch is empty.
     *
     * @param frame what arrived
     * @param bytes its length
     * @throws StepFrameException if it is not a valid frame within the limits
     */
    public void decode(MemorySegment frame, long bytes) {
        clear(0);
        boolean valid = false;
        try {
            StepFrame.read(this, frame, bytes);
            valid = true;
        } finally {
            if (!valid) {
                clear(0);
            }
        }
    }

    void header(int newKind, long number, boolean full, boolean hidden, boolean alone) {
        clear(newKind, number);
        fullRows = full;
        hiddenRows = hidden;
        withoutLogits = alone;
    }

    /** Checks the first {@code count} entries of the span arrays, whose contents have been read, and derives the rest from them. */
    void deriveAll(int count) {
        for (int span = 0; span < count; span++) {
            derive(span);
            advance(spanLength[span], spanBlocks[span]);
        }
    }

    private void derive(int span) {
        int length = spanLength[span];
        int first = spanPosition[span];
        int table = spanBlocks[span];
        enter(span, length, table);
        if (first < 0 || length < 1 || (long) first + length > (long) table * limits.blockSize()) {
            throw new StepFrameException("span " + span + " has positions " + first + " to " + ((long) first + length)
                    + ", but its " + table + " blocks of " + limits.blockSize() + " hold 0 to "
                    + (long) table * limits.blockSize());
        }
        if (spanSource[span] < 0 || spanSource[span] > limits.allTokens() - length) {
            throw new StepFrameException("span " + span + " of " + length + " tokens goes on from row [" + spanSource[span]
                    + "] of a step that has room for " + limits.allTokens());
        }
        checkRange(token, tokens, length, vocabulary, "token id", span);
        checkRange(block, blocks, table, blockNumbers, "block number", span);
        Rows which = StepFrame.ROWS[spanRows[span]];
        int wanted = which.count(length);
        int beside = rows - rowStart[home];
        if (wanted > limits.maxRows() - beside) {
            throw new StepFrameException(
                    "span " + span + " wants " + wanted + " rows of logits beside " + beside + "; there is room for "
                            + limits.maxRows());
        }
        spanStart[span] = tokens;
        blockStart[span] = blocks;
        for (int i = 0; i < length; i++) {
            position[tokens + i] = first + i;
        }
        Arrays.fill(spanOf, tokens, tokens + length, span);
        for (int i = 0; i < wanted; i++) {
            selected[rows++] = tokens + length - wanted + i;
        }
    }

    /** Goes on to the home of a span, and checks that there is room for it. */
    private void enter(int span, int length, int table) {
        int next = spanHome[span];
        if (next < home || next >= limits.homes()) {
            throw new StepFrameException("span " + span + " has home [" + next + "] after home " + home
                    + "; homes ascend, up to " + (limits.homes() - 1));
        }
        if (next > home) {
            home = next;
            homeBlocks = 0;
        }
        if (spans - spanFirst[home] >= limits.maxSpans() || length > limits.maxTokens() - (tokens - tokenStart[home])
                || table > limits.maxBlocks() - homeBlocks) {
            throw new StepFrameException("no room for span " + span + " with " + length + " tokens and " + table
                    + " blocks in home " + home + ", which has " + (spans - spanFirst[home]) + " spans, "
                    + (tokens - tokenStart[home]) + " tokens and " + homeBlocks + " blocks; there is room for " + limits);
        }
    }

    private static void checkRange(int[] values, int from, int count, int bound, String what, int span) {
        for (int i = from; i < from + count; i++) {
            if (values[i] < 0 || values[i] >= bound) {
                throw new StepFrameException(what + " [" + values[i] + "] in span " + span + " is not from 0 to " + (bound - 1));
            }
        }
    }

    /**
     * What it has room for.
     *
     * @return as given
     */
    public Limits limits() {
        return limits;
    }

    /**
     * What it is.
     *
     * @return {@link #KIND_STEP}, {@link #KIND_DRAFT}, {@link #KIND_SHUTDOWN} or {@link #KIND_IDLE}
     */
    public int kind() {
        return kind;
    }

    /**
     * Counts steps.
     *
     * @return as given to {@link #clear(long)}
     */
    public long stepNumber() {
        return stepNumber;
    }

    /**
     * Whether the whole rows of logits are wanted beside the best candidates.
     *
     * @return whether they are
     */
    public boolean fullRows() {
        return fullRows;
    }

    /**
     * Whether rows of the hidden state are wanted.
     *
     * @return as {@link #needHiddenRows} said
     */
    public boolean hiddenRows() {
        return hiddenRows;
    }

    /**
     * Whether logits and candidates are wanted.
     *
     * @return not if nothing but the hidden state is
     */
    public boolean wantsLogits() {
        return !withoutLogits;
    }

    /**
     * What is to happen to the experts of all ranks before this step runs.
     *
     * @return the order
     */
    public ExpertOrder expertOrder() {
        return order;
    }

    /**
     * The round that the order belongs to.
     *
     * @return from 1; 0 without an order
     */
    public int expertRound() {
        return round;
    }

    /**
     * Which part of the round is committed.
     *
     * @return from 0
     */
    public int expertChunk() {
        return chunk;
    }

    /**
     * How often experts have changed their places since the unit started, this step's order included.
     *
     * @return 0 or more
     */
    public int expertVersion() {
        return expertVersion;
    }

    /**
     * The sequence of a span.
     *
     * @param span from 0 to {@link #spans()}
     * @return its id
     */
    public long sequence(int span) {
        return sequence[span];
    }

    /**
     * Which tokens of a span give a row of logits.
     *
     * @param span from 0 to {@link #spans()}
     * @return which
     */
    public Rows rowsOf(int span) {
        return StepFrame.ROWS[spanRows[span]];
    }

    /**
     * Where a span of a pass that guesses goes on from.
     *
     * @param span from 0 to {@link #spans()}
     * @return the first row of the step before
     */
    public int source(int span) {
        return spanSource[span];
    }

    /**
     * The home of a span.
     *
     * @param span from 0 to {@link #spans()}
     * @return from 0 to the number of homes
     */
    public int home(int span) {
        return spanHome[span];
    }

    /**
     * The first token of a home.
     *
     * @param which from 0 to the number of homes, both included: the last one gives the number of tokens
     * @return a row
     */
    public int tokenStart(int which) {
        return tokenStart[which];
    }

    /**
     * The first selected row of a home.
     *
     * @param which from 0 to the number of homes, both included: the last one gives the number of selected rows
     * @return an index of a selected row
     */
    public int rowStart(int which) {
        return rowStart[which];
    }

    /**
     * The first span of a home.
     *
     * @param which from 0 to the number of homes, both included: the last one gives the number of spans
     * @return a span
     */
    public int spanFirst(int which) {
        return spanFirst[which];
    }

    /**
     * Entries of all block tables together.
     *
     * @return how many there are
     */
    public int blocks() {
        return blocks;
    }

    @Override
    public int tokens() {
        return tokens;
    }

    @Override
    public int token(int row) {
        return token[row];
    }

    @Override
    public int position(int row) {
        return position[row];
    }

    @Override
    public int spanOf(int row) {
        return spanOf[row];
    }

    @Override
    public int spans() {
        return spans;
    }

    @Override
    public int spanStart(int span) {
        return spanStart[span];
    }

    @Override
    public int spanLength(int span) {
        return spanLength[span];
    }

    @Override
    public int blockSize() {
        return limits.blockSize();
    }

    @Override
    public int block(int span, int index) {
        return block[blockStart[span] + Objects.checkIndex(index, spanBlocks[span])];
    }

    @Override
    public int selectedRows() {
        return rows;
    }

    @Override
    public int selectedRow(int index) {
        return selected[index];
    }

    @Override
    public String toString() {
        return "step " + stepNumber + " [kind " + kind + ", " + tokens + " tokens, " + spans + " spans, " + blocks + " blocks, "
                + rows
                + " rows]";
    }
}
