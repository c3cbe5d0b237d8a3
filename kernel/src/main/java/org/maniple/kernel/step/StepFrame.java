package org.maniple.kernel.step;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.maniple.kernel.step.StepBatch.Limits;
import org.maniple.kernel.step.StepBatch.Rows;

/**
 * How a step travels, little-endian and without gaps. Header: magic (4 bytes), kind (4), step number (8), flags (4: whole rows, the order about
 * experts, hidden rows, no logits), tokens (4), spans (4), block table entries (4), round, chunk and version of the experts (4 each). Then for all spans: sequences (8 each), homes, first positions, lengths, which rows, block table lengths, where they go on from (4 each); then
 * the token ids and the block tables of all spans, one span after the other (4 each). Signals are a header alone.
 */
final class StepFrame {

    static final Rows[] ROWS = Rows.values();

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** "MST" and the version of this layout. */
    private static final int MAGIC = 'M' | 'S' << 8 | 'T' << 16 | 4 << 24;

    private static final int FULL_ROWS = 1;
    private static final int ORDER_SHIFT = 1;
    private static final ExpertOrder[] ORDERS = ExpertOrder.values();
    /** {@link ExpertOrder} takes the bits between. */
    private static final int ORDER_BITS = 7 << ORDER_SHIFT;
    private static final int HIDDEN_ROWS = 1 << 4;
    private static final int WITHOUT_LOGITS = 1 << 5;
    private static final int FLAGS = FULL_ROWS | ORDER_BITS | HIDDEN_ROWS | WITHOUT_LOGITS;
    private static final long HEADER = 44;
    private static final long PER_SPAN = Long.BYTES + 6L * Integer.BYTES;

    private StepFrame() {}

    static long bytes(int tokens, int spans, int blocks) {
        return HEADER + PER_SPAN * spans + (long) Integer.BYTES * tokens + (long) Integer.BYTES * blocks;
    }

    static long write(StepBatch batch, MemorySegment frame) {
        int spans = batch.spans();
        frame.set(INT, 0, MAGIC);
        frame.set(INT, 4, batch.kind());
        frame.set(LONG, 8, batch.stepNumber());
        frame.set(INT, 16, (batch.fullRows() ? FULL_ROWS : 0) | batch.expertOrder().ordinal() << ORDER_SHIFT
                | (batch.hiddenRows() ? HIDDEN_ROWS : 0) | (batch.wantsLogits() ? 0 : WITHOUT_LOGITS));
        frame.set(INT, 20, batch.tokens());
        frame.set(INT, 24, spans);
        frame.set(INT, 28, batch.blocks());
        frame.set(INT, 32, batch.expertRound());
        frame.set(INT, 36, batch.expertChunk());
        frame.set(INT, 40, batch.expertVersion());
        MemorySegment.copy(batch.sequence, 0, frame, LONG, HEADER, spans);
        long at = HEADER + (long) Long.BYTES * spans;
        at = put(batch.spanHome, spans, frame, at);
        at = put(batch.spanPosition, spans, frame, at);
        at = put(batch.spanLength, spans, frame, at);
        at = put(batch.spanRows, spans, frame, at);
        at = put(batch.spanBlocks, spans, frame, at);
        at = put(batch.spanSource, spans, frame, at);
        at = put(batch.token, batch.tokens(), frame, at);
        return put(batch.block, batch.blocks(), frame, at);
    }

    private static long put(int[] values, int count, MemorySegment frame, long at) {
        MemorySegment.copy(values, 0, frame, INT, at, count);
        return at + (long) Integer.BYTES * count;
    }

    /** Copies before it checks, so that nothing can change in between where the frame lies in shared memory. */
    static void read(StepBatch batch, MemorySegment frame, long bytes) {
        if (bytes < HEADER || bytes > frame.byteSize()) {
            throw new StepFrameException(
                    "a step frame of " + bytes + " bytes is not between its header of " + HEADER + " and the " + frame.byteSize()
                            + " bytes of its buffer");
        }
        if (frame.get(INT, 0) != MAGIC) {
            throw new StepFrameException(
                    "not a step frame of this version: it begins with [0x" + Integer.toHexString(frame.get(INT, 0))
                            + "], not with [0x" + Integer.toHexString(MAGIC) + "]");
        }
        int kind = frame.get(INT, 4);
        int flags = frame.get(INT, 16);
        if (kind < StepBatch.KIND_STEP || kind > StepBatch.KIND_DRAFT || (flags & ~FLAGS) != 0) {
            throw new StepFrameException("unknown kind [" + kind + "] or flags [" + flags + "] of a step frame");
        }
        Limits limits = batch.limits();
        boolean signal = kind == StepBatch.KIND_SHUTDOWN || kind == StepBatch.KIND_IDLE;
        int tokens = count(frame, 20, "tokens", signal ? 0 : limits.allTokens());
        int spans = count(frame, 24, "spans", signal ? 0 : limits.allSpans());
        int blocks = count(frame, 28, "block table entries", signal ? 0 : limits.allBlocks());
        if (bytes != bytes(tokens, spans, blocks)) {
            throw new StepFrameException(
                    "a step frame of " + bytes + " bytes; with " + tokens + " tokens, " + spans + " spans and "
                            + blocks + " block table entries it must have " + bytes(tokens, spans, blocks));
        }
        int ordinal = (flags & ORDER_BITS) >> ORDER_SHIFT;
        boolean hidden = (flags & HIDDEN_ROWS) != 0;
        boolean alone = (flags & WITHOUT_LOGITS) != 0;
        if (ordinal >= ORDERS.length || alone && !hidden) {
            throw new StepFrameException("no such flags [" + flags + "] of a step frame");
        }
        ExpertOrder order = ORDERS[ordinal];
        int round = frame.get(INT, 32);
        int chunk = frame.get(INT, 36);
        int version = frame.get(INT, 40);
        String wrong = kind != StepBatch.KIND_STEP && order != ExpertOrder.NONE
                ? "a frame that is no step with an order about experts"
                : order.problem(round, chunk, version);
        if (!wrong.isEmpty()) {
            throw new StepFrameException(wrong);
        }
        batch.header(kind, frame.get(LONG, 8), (flags & FULL_ROWS) != 0, hidden, alone);
        batch.orderExperts(order, round, chunk, version);
        readArrays(batch, frame, tokens, spans, blocks);
        checkSums(batch, tokens, spans, blocks);
        batch.deriveAll(spans);
    }

    private static int count(MemorySegment frame, long at, String what, int max) {
        int count = frame.get(INT, at);
        if (count < 0 || count > max) {
            throw new StepFrameException("a step frame with [" + count + "] " + what + "; there may be 0 to " + max);
        }
        return count;
    }

    private static void readArrays(StepBatch batch, MemorySegment frame, int tokens, int spans, int blocks) {
        MemorySegment.copy(frame, LONG, HEADER, batch.sequence, 0, spans);
        long at = HEADER + (long) Long.BYTES * spans;
        at = take(frame, at, batch.spanHome, spans);
        at = take(frame, at, batch.spanPosition, spans);
        at = take(frame, at, batch.spanLength, spans);
        at = take(frame, at, batch.spanRows, spans);
        at = take(frame, at, batch.spanBlocks, spans);
        at = take(frame, at, batch.spanSource, spans);
        at = take(frame, at, batch.token, tokens);
        take(frame, at, batch.block, blocks);
    }

    private static long take(MemorySegment frame, long at, int[] values, int count) {
        MemorySegment.copy(frame, INT, at, values, 0, count);
        return at + (long) Integer.BYTES * count;
    }

    private static void checkSums(StepBatch batch, int tokens, int spans, int blocks) {
        long lengths = 0;
        long tables = 0;
        for (int span = 0; span < spans; span++) {
            int which = batch.spanRows[span];
            if (batch.spanLength[span] < 1 || batch.spanBlocks[span] < 1 || which < 0 || which >= ROWS.length) {
                throw new StepFrameException(
                        "span " + span + " has length [" + batch.spanLength[span] + "], [" + batch.spanBlocks[span]
                                + "] blocks, rows [" + which + "]: at least 1, at least 1, and 0 to " + (ROWS.length - 1)
                                + " are possible");
            }
            lengths += batch.spanLength[span];
            tables += batch.spanBlocks[span];
        }
        if (lengths != tokens || tables != blocks) {
            throw new StepFrameException(
                    "the spans have " + lengths + " tokens and " + tables + " block table entries, the frame says "
                            + tokens + " and " + blocks);
        }
    }
}
