package org.maniple.kernel.engine;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.maniple.api.transport.TransportException;
import org.maniple.kernel.step.StepBatch;

/**
 * Ranks that keep the tokens themselves in their "KV cache", read them back through the block tables, and ask {@link HashModel}. So a wrong
 * position, table, or block that is given away too early changes the tokens. Every batch travels through its frame.
 */
final class FakePipeline implements StepPipeline {

    static final int CANDIDATES = 24;

    final CountDownLatch idled = new CountDownLatch(1);
    final CountDownLatch ended = new CountDownLatch(1);
    final CountDownLatch entered = new CountDownLatch(1);
    volatile int mostInFlight;
    volatile int mostSpans;
    volatile int fullRowSteps;
    volatile int steps;
    private final int[] mostSpansOf;
    private final int[] tokensOf;
    private final Map<Long, Integer> computed = new ConcurrentHashMap<>();
    private final Map<Long, Integer> firstSteps = new ConcurrentHashMap<>();
    private final Map<Long, Integer> lastSteps = new ConcurrentHashMap<>();

    private final int depth;
    private final StepBatch.Limits limits;
    private final int blocks;
    private final int[] cache;
    private final int[] following;
    private final Map<Long, List<Row>> made = new HashMap<>();
    private final StepBatch received;
    private final MemorySegment frame;
    private final ArrayDeque<StepBatch> free = new ArrayDeque<>();
    private final ArrayDeque<Results> flying = new ArrayDeque<>();
    private Semaphore gate = new Semaphore(Integer.MAX_VALUE);
    private int failAt = Integer.MAX_VALUE;

    record Results(StepBatch batch, int rows, MemorySegment candidates, int k, MemorySegment logits) implements StepResults {}

    FakePipeline(int depth, StepBatch.Limits limits, int blocks) {
        this.depth = depth;
        this.limits = limits;
        this.blocks = blocks;
        cache = new int[limits.homes() * blocks * limits.blockSize()];
        following = cache.clone();
        mostSpansOf = new int[limits.homes()];
        tokensOf = new int[limits.homes()];
        Arrays.fill(cache, -1);
        received = new StepBatch(limits, blocks, HashModel.VOCABULARY);
        frame = MemorySegment.ofArray(new byte[(int) StepBatch.maxBytes(limits)]);
        for (int i = 0; i < 2 * depth; i++) {
            free.add(new StepBatch(limits, blocks, HashModel.VOCABULARY));
        }
    }

    /** Of all homes together. */
    int blocks() {
        return limits.homes() * blocks;
    }

    /** The most spans that a home had in one step. */
    int mostSpans(int home) {
        return mostSpansOf[home];
    }

    /** All tokens that a home has computed. */
    int tokens(int home) {
        return tokensOf[home];
    }

    /** Lets results out only as permits are released. */
    Semaphore gated() {
        gate = new Semaphore(0);
        return gate;
    }

    /** How many positions of a sequence have been computed in all. */
    int computed(long sequence) {
        return computed.getOrDefault(sequence, 0);
    }

    /** The first step that computed something of a sequence. */
    int firstStep(long sequence) {
        return firstSteps.get(sequence);
    }

    /** The last step that computed something of a sequence. */
    int lastStep(long sequence) {
        return lastSteps.get(sequence);
    }

    void failAtStep(int step) {
        failAt = step;
    }

    @Override
    public int depth() {
        return depth;
    }

    @Override
    public StepBatch.Limits limits() {
        return limits;
    }

    @Override
    public StepBatch begin() {
        return free.removeFirst();
    }

    @Override
    public void submit(StepBatch batch) {
        if (steps == failAt) {
            throw new TransportException("rank 2 is gone: connection closed");
        }
        requireApart(batch);
        requireOwnBlocks(batch);
        if (batch.kind() == StepBatch.KIND_DRAFT) {
            received.decode(frame, batch.encode(frame));
            flying.add(guess(received, batch));
            return;
        }
        received.decode(frame, batch.encode(frame));
        flying.add(run(received, batch));
        mostInFlight = Math.max(mostInFlight,
                (int) flying.stream().filter(results -> results.batch().kind() == StepBatch.KIND_STEP).count());
        mostSpans = Math.max(mostSpans, batch.spans());
        fullRowSteps += batch.fullRows() ? 1 : 0;
        count(batch);
        steps++;
    }

    /** Every home has blocks of its own with the same numbers. */
    private int slot(StepBatch step, int span, int position) {
        return step.home(span) * blocks * limits.blockSize() + step.slot(span, position);
    }

    private void count(StepBatch batch) {
        for (int span = 0; span < batch.spans(); span++) {
            computed.merge(batch.sequence(span), batch.spanLength(span), Integer::sum);
            firstSteps.putIfAbsent(batch.sequence(span), steps);
            lastSteps.put(batch.sequence(span), steps);
        }
        for (int home = 0; home < limits.homes(); home++) {
            mostSpansOf[home] = Math.max(mostSpansOf[home], batch.spanFirst(home + 1) - batch.spanFirst(home));
            tokensOf[home] += batch.tokenStart(home + 1) - batch.tokenStart(home);
        }
    }

    private void requireApart(StepBatch batch) {
        Set<Long> sequences = new HashSet<>();
        flying.forEach(
                other -> IntStream.range(0, other.batch().spans()).forEach(span -> sequences.add(other.batch().sequence(span))));
        for (int span = 0; span < batch.spans(); span++) {
            if (!sequences.add(batch.sequence(span))) {
                throw new IllegalStateException("sequence " + batch.sequence(span) + " is twice in flight");
            }
        }
    }

    /** What a batch writes nobody else may have in a batch: neither in flight nor beside it. */
    private void requireOwnBlocks(StepBatch batch) {
        for (int span = 0; span < batch.spans(); span++) {
            int first = batch.position(batch.spanStart(span)) / limits.blockSize();
            int last = batch.position(batch.spanStart(span) + batch.spanLength(span) - 1) / limits.blockSize();
            for (int index = first; index <= last; index++) {
                int block = batch.block(span, index);
                for (Results other : flying) {
                    requireWithout(other.batch(), block, batch.home(span), -1);
                }
                requireWithout(batch, block, batch.home(span), span);
            }
        }
    }

    private void requireWithout(StepBatch batch, int block, int home, int own) {
        for (int span = 0; span < batch.spans(); span++) {
            int blocksOfSpan = Math.ceilDiv(batch.position(batch.spanStart(span)) + batch.spanLength(span), limits.blockSize());
            for (int index = 0; index < blocksOfSpan && span != own && batch.home(span) == home; index++) {
                if (batch.block(span, index) == block) {
                    throw new IllegalStateException("block " + block + " is written while sequence " + batch.sequence(span)
                            + " uses it");
                }
            }
        }
    }

    /** The rows that the last steps have made: which token of which sequence, at which position. */
    private record Row(long sequence, int position, int token) {}

    /**
     * A layer that guesses: it has a cache of its own, with the token after each position, and is wrong about every third position. What it goes on
     * from must be the rows of the same positions.
     */
    private Results guess(StepBatch pass, StepBatch batch) {
        List<Row> rows = made.get(pass.stepNumber() % depth);
        for (int row = 0; row < pass.tokens(); row++) {
            int span = pass.spanOf(row);
            Row before = rows.get(pass.source(span) + row - pass.spanStart(span));
            if (before.sequence() != pass.sequence(span) || before.position() != pass.position(row)
                    || cache[slot(pass, span, pass.position(row))] != before.token()) {
                throw new IllegalStateException("position " + pass.position(row) + " of sequence " + pass.sequence(span)
                        + " goes on from " + before);
            }
            following[slot(pass, span, pass.position(row))] = pass.token(row);
        }
        int width = 2 * CANDIDATES + 2;
        MemorySegment candidates = MemorySegment.ofArray(new float[pass.selectedRows() * width]);
        for (int i = 0; i < pass.selectedRows(); i++) {
            int row = pass.selectedRow(i);
            int span = pass.spanOf(row);
            int last = pass.position(row);
            int[] tokens = IntStream.rangeClosed(0, last + 1)
                    .map(position -> position == 0 ? cache[slot(pass, span, 0)] : following[slot(pass, span, position - 1)])
                    .toArray();
            if (last % 3 == 0) {
                tokens[0] ^= 1;
            }
            writeTopK(HashModel.logits(tokens, tokens.length), CANDIDATES, candidates, (long) i * width * Float.BYTES);
        }
        return new Results(batch, pass.selectedRows(), candidates, CANDIDATES, MemorySegment.NULL);
    }

    private Results run(StepBatch step, StepBatch batch) {
        var rowsMade = new ArrayList<Row>();
        for (int row = 0; row < step.tokens(); row++) {
            int span = step.spanOf(row);
            cache[slot(step, span, step.position(row))] = step.token(row);
            rowsMade.add(new Row(step.sequence(span), step.position(row), step.token(row)));
        }
        made.put(step.stepNumber() % depth, rowsMade);
        int rows = step.selectedRows();
        int width = 2 * CANDIDATES + 2;
        MemorySegment candidates = MemorySegment.ofArray(new float[rows * width]);
        MemorySegment logits = step.fullRows()
                ? MemorySegment.ofArray(new float[rows * HashModel.VOCABULARY])
                : MemorySegment.NULL;
        for (int i = 0; i < rows; i++) {
            int row = step.selectedRow(i);
            int span = step.spanOf(row);
            int[] tokens = IntStream.rangeClosed(0, step.position(row)).map(position -> cache[slot(step, span, position)])
                    .toArray();
            float[] values = HashModel.logits(tokens, tokens.length);
            writeTopK(values, CANDIDATES, candidates, (long) i * width * Float.BYTES);
            if (step.fullRows()) {
                MemorySegment.copy(values, 0, logits, JAVA_FLOAT_UNALIGNED, (long) i * values.length * Float.BYTES,
                        values.length);
            }
        }
        return new Results(batch, rows, candidates, CANDIDATES, logits);
    }

    static void writeTopK(float[] logits, int k, MemorySegment out, long at) {
        List<Integer> order = IntStream.range(0, logits.length).boxed().sorted((a, b) -> Float.compare(logits[b], logits[a]))
                .toList();
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - logits[order.getFirst()]);
        }
        for (int i = 0; i < k; i++) {
            boolean there = i < logits.length;
            out.set(JAVA_FLOAT_UNALIGNED, at + 4L * i, there ? logits[order.get(i)] : Float.NEGATIVE_INFINITY);
            out.set(JAVA_INT_UNALIGNED, at + 4L * (k + i), there ? order.get(i) : -1);
        }
        out.set(JAVA_FLOAT_UNALIGNED, at + 8L * k, logits[order.getFirst()]);
        out.set(JAVA_FLOAT_UNALIGNED, at + 8L * k + 4, (float) sum);
    }

    @Override
    public StepResults await() {
        entered.countDown();
        try {
            if (!gate.tryAcquire(30, TimeUnit.SECONDS)) {
                throw new TransportException("no results within the limit");
            }
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
        Results results = flying.removeFirst();
        free.addLast(results.batch());
        return results;
    }

    @Override
    public void idle() {
        idled.countDown();
    }

    @Override
    public void shutdown() {
        ended.countDown();
    }
}
