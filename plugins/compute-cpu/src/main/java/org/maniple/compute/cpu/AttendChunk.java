package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.maniple.api.step.Step;

/**
 * What a thread computes of attention at once: some rows of one sequence, of each the query heads that read one key-value head, or several of them, over one
 * chunk of positions ({@link Softmax#CHUNK}). With the memory that this takes, which all layers of a session share. A row and head is a
 * <em>pair</em>; pairs are numbered row by row. All offsets and strides are in bytes.
 *
 * <p>The score of a key has a second part if there are <em>turned</em> keys (latent attention).
 */
final class AttendChunk {

    /** Pairs at most. */
    static final int PAIRS = 64;

    /** A run of memory: rows that begin at an offset, with a distance from row to row and, for queries and results, from head to head. */
    static final class Rows {
        MemorySegment memory = MemorySegment.NULL;
        long at;
        long stride;
        long headStride;
        /** What elements are held as; all but states are floats. */
        CacheForm form = CacheForm.F32;
        /** Of a state with factors: where the factor of slot 0 is, and the distance to that of the next slot. */
        MemorySegment factors = MemorySegment.NULL;
        long factorAt;
        long factorStride;

        /** Sets all. */
        void set(MemorySegment memory, long at, long stride, long headStride) {
            this.memory = memory;
            this.at = at;
            this.stride = stride;
            this.headStride = headStride;
            this.form = CacheForm.F32;
        }

        /** Sets the rows of a state, from one of its heads on. */
        void set(CachedState state, int head) {
            long bytes = state.form().bytes();
            set(state.memory(), bytes * head * state.length(), bytes * state.width(), 0);
            form = state.form();
            factors = state.factors();
            factorAt = 4L * head;
            factorStride = 4L * state.heads();
        }

        /** Makes floats of rows that follow each other. */
        void widen(long slot, int count, int length, MemorySegment out, long to) {
            for (int i = 0; i < count; i++) {
                float factor = form == CacheForm.INT8
                        ? factors.get(JAVA_FLOAT_UNALIGNED, factorAt + (slot + i) * factorStride)
                        : 1;
                form.widen(memory, at + (slot + i) * stride, factor, out, to + 4L * i * length, length);
            }
        }
    }

    final Rows queries = new Rows();
    final Rows turnedQueries = new Rows();
    /** Of one head; begin at slot 0. */
    final Rows keys = new Rows();
    final Rows turnedKeys = new Rows();
    final Rows values = new Rows();
    /** Sums of values, relative to the greatest score so far. */
    final Rows out = new Rows();

    /** Elements of a key, of a turned key (0: there are none), of a value. */
    int keyLength;
    int turnedLength;
    int valueLength;
    int heads;
    /** Following heads that read one key-value head; the next ones read the next one. 0: all read the same. */
    int sharing;
    int rows;
    /** Positions that the rows see together, counted from the start of the chunk; {@code to} is exclusive. */
    int from;
    int to;
    /** The position of the first row, counted likewise; may lie behind the chunk. */
    int position;
    /** Positions that a row sees, itself included; 0: all. */
    int window;
    float scale;

    private final MemorySegment ownState = Arena.ofAuto().allocate(8L * PAIRS, 64);
    private final MemorySegment scores = Arena.ofAuto().allocate(PAIRS * Softmax.STRIDE, 64);
    private final MemorySegment runs = Arena.ofAuto().allocate(2 * 16L * Softmax.CHUNK, 64);
    /** What a native function is given. */
    private final MemorySegment structure = Arena.ofAuto().allocate(384, 64);
    private final Softmax softmax;
    private MemorySegment parts = Arena.ofAuto().allocate(64, 64);
    private MemorySegment turnedScores = Arena.ofAuto().allocate(64, 64);
    private MemorySegment panel = Arena.ofAuto().allocate(64, 64);
    private MemorySegment state = ownState;
    private long stateAt;
    private int runCount;
    private int laterCount;
    private int laterHeads;
    private int laterShift;

    /** For a thread with its partial sums. */
    AttendChunk(float[] lanes) {
        this.softmax = new Softmax(lanes);
    }

    /** One for each of some threads. */
    static AttendChunk[] of(Scratch[] scratch) {
        var all = new AttendChunk[scratch.length];
        for (int i = 0; i < all.length; i++) {
            all[i] = new AttendChunk(scratch[i].lanes());
        }
        return all;
    }

    /** Makes room for sums of values; only while nothing is computed. */
    void reserve(int length, boolean turned) {
        if (parts.byteSize() < 4L * PAIRS * length) {
            parts = Arena.ofAuto().allocate(4L * PAIRS * length, 64);
        }
        if (turned && turnedScores.byteSize() < scores.byteSize()) {
            turnedScores = Arena.ofAuto().allocate(scores.byteSize(), 64);
        }
    }

    /** Makes room for what keys, turned keys and values are made of before they are multiplied; only while nothing is computed. */
    void reservePanel(int keys, int turned, int values) {
        long queries = filled(keys) + filled(turned);
        long bytes = 4L * (Softmax.CHUNK * (queries + filled(values)) + PAIRS * (queries + filled(values))) + 4096;
        if (panel.byteSize() < bytes) {
            panel = Arena.ofAuto().allocate(bytes, 64);
        }
    }

    private static long filled(int length) {
        return Math.ceilDiv(length, 32) * 32L;
    }

    /** What cached rows are made of before they are multiplied. */
    MemorySegment panel() {
        return panel;
    }

    /** Keeps the state of the pairs in memory of its own. */
    void keepState() {
        state = ownState;
        stateAt = 0;
    }

    /** Keeps the state of the pairs elsewhere. */
    void keepState(MemorySegment memory, long at) {
        state = memory;
        stateAt = at;
    }

    /** For each pair the greatest score so far, then for each the sum of weights relative to it; from {@link #stateAt} on. */
    MemorySegment state() {
        return state;
    }

    long stateAt() {
        return stateAt;
    }

    /** How many following heads read one key-value head. */
    int shared() {
        return sharing == 0 ? heads : sharing;
    }

    int pairs() {
        return rows * heads;
    }

    /** Scores, later weights, of the pairs, {@link Softmax#STRIDE} apart. */
    MemorySegment scores() {
        return scores;
    }

    MemorySegment turnedScores() {
        return turnedScores;
    }

    /** Sums of the chunk's values, {@code valueLength} of each pair. */
    MemorySegment parts() {
        return parts;
    }

    MemorySegment structure() {
        return structure;
    }

    Softmax softmax() {
        return softmax;
    }

    /** The first position that a row sees, counted from the start of the chunk, if it sees any. */
    int from(int row) {
        return window == 0 ? from : Math.max(from, position + row - window + 1);
    }

    /** The position after the last one that a row sees; not after {@link #from(int)} if it sees none. */
    int to(int row) {
        return Math.min(to, position + row + 1);
    }

    /** Finds where the positions lie: what follows each other in memory is one run. Nothing is read next. */
    void find(Step step, int span, int chunkStart) {
        runCount = find(step, span, chunkStart + from, chunkStart + to, 0);
        laterCount = 0;
    }

    /**
     * Finds what is read next, which may be asked for in time. After {@link #find(Step, int, int)}.
     *
     * @param start the first of the positions
     * @param end the one after the last; at most a chunk of them
     * @param heads of how many key-value heads
     * @param shift where the first of these lies, from that of the chunk
     */
    void findLater(Step step, int span, int start, int end, int heads, int shift) {
        laterCount = find(step, span, start, end, runCount) - runCount;
        laterHeads = heads;
        laterShift = shift;
    }

    /**
     * Finds positions.
     *
     * @param first the number of their first run
     * @return the number after that of their last run
     */
    private int find(Step step, int span, int start, int end, int first) {
        int size = step.blockSize();
        int count = first;
        long next = -1;
        for (int at = start; at < end;) {
            int inBlock = at % size;
            int length = Math.min(size - inBlock, end - at);
            long slot = (long) step.block(span, at / size) * size + inBlock;
            if (slot == next) {
                runs.setAtIndex(JAVA_LONG, 2L * count - 1, runs.getAtIndex(JAVA_LONG, 2L * count - 1) + length);
            } else {
                runs.setAtIndex(JAVA_LONG, 2L * count, slot);
                runs.setAtIndex(JAVA_LONG, 2L * count + 1, length);
                count++;
            }
            next = slot + length;
            at += length;
        }
        return count;
    }

    /** Sets the runs: of each its first slot, and how many positions lie there. */
    void runs(long... slotsAndCounts) {
        MemorySegment.copy(slotsAndCounts, 0, runs, JAVA_LONG, 0, slotsAndCounts.length);
        runCount = slotsAndCounts.length / 2;
        laterCount = 0;
    }

    /** Pairs of longs: a slot, and how many positions lie there. */
    MemorySegment runs() {
        return runs;
    }

    int runCount() {
        return runCount;
    }

    /** Runs of what is read next, behind the others. */
    int laterCount() {
        return laterCount;
    }

    /** Key-value heads that are read next. */
    int laterHeads() {
        return laterHeads;
    }

    /** Where the first of them lies, from that of the chunk. */
    int laterShift() {
        return laterShift;
    }

    long slot(int run) {
        return runs.getAtIndex(JAVA_LONG, 2L * run);
    }

    int length(int run) {
        return (int) runs.getAtIndex(JAVA_LONG, 2L * run + 1);
    }

    /** Begins a pair without scores. */
    void begin(int pair) {
        begin(pair, Float.NEGATIVE_INFINITY, 0);
    }

    /** Begins a pair with a score that no value belongs to. */
    void begin(int pair, float sink) {
        begin(pair, sink, 1);
    }

    private void begin(int pair, float most, float sum) {
        state.set(JAVA_FLOAT_UNALIGNED, stateAt + 4L * pair, most);
        state.set(JAVA_FLOAT_UNALIGNED, stateAt + 4L * (pairs() + pair), sum);
        WeightedRows.clear(out.memory, result(pair), valueLength);
    }

    /** Divides the sums of a pair's values by the sum of its weights. */
    void finish(int pair) {
        Functions.divide(out.memory, result(pair), state.get(JAVA_FLOAT_UNALIGNED, stateAt + 4L * (pairs() + pair)), valueLength);
    }

    /** Where a pair's result begins. */
    long result(int pair) {
        return out.at + pair / heads * out.stride + pair % heads * out.headStride;
    }
}
