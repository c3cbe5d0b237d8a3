package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.jspecify.annotations.Nullable;
import org.maniple.api.compute.Kernel;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.OpCall;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;

/**
 * Causal attention over the cache. A row's positions are taken in chunks that begin at multiples of {@link Softmax#CHUNK}, so that its
 * sums do not depend on its span. Threads take some rows and the query heads that read one key-value head ({@link AttendTiles}); of many sequences with a
 * row each they take all heads of a row, whose keys and values lie one after the other in memory.
 */
final class AttendKernel implements Kernel, Workers.Task {

    private final Workers workers;
    private final AttendMemory memory;
    private final Attention attention;
    /** A score for each head that nothing is gathered for. */
    private final @Nullable Widened sinks;
    private final Tensor queries;
    private final CachedState keys;
    private final CachedState values;
    private final Tensor out;
    private final int[] groups;
    private final int window;
    private final float scale;
    private final int keyLength;
    private final int valueLength;
    /** By key-value heads, and with all heads in one task if that may be. */
    private final AttendTiles byHead;
    private final @Nullable AttendTiles whole;
    /** Those of this step. */
    private AttendTiles tiles;
    /** For each unit that is cut the chunks that are not finished. */
    private final AtomicIntegerArray unfinished;
    /** The step that is being computed; set before the threads begin. */
    private @Nullable Step current;

    private AttendKernel(Workers workers, AttendMemory memory, OpCall call, BuiltinOp.Attend op, @Nullable Widened sinks) {
        this.workers = workers;
        this.memory = memory;
        this.queries = call.input(0);
        this.keys = CachedState.of(call.input(1)).orElseThrow();
        this.values = CachedState.of(call.input(2)).orElseThrow();
        this.out = call.output(0);
        this.groups = HeadGroups.of(call, AttendChunk.PAIRS);
        this.window = op.window();
        this.scale = (float) op.scale();
        this.keyLength = queries.extent(2);
        this.valueLength = out.extent(2);
        this.attention = memory.attention(keys.form(), keyLength, 0);
        this.sinks = sinks;
        int heads = Math.max(1, HeadGroups.largest(groups));
        int tileRows = Math.clamp(AttendChunk.PAIRS / heads, 1, 16);
        this.byHead = new AttendTiles(groups.length / 3, tileRows, window, workers.threads(), out.extent(0),
                4L * heads * (valueLength + 2));
        boolean wholes = attention.severalKeyHeads() && alike(groups) && queries.extent(1) <= AttendChunk.PAIRS;
        this.whole = wholes
                ? new AttendTiles(1, 1, window, workers.threads(), out.extent(0), 4L * queries.extent(1) * (valueLength + 2))
                : null;
        this.tiles = byHead;
        this.unfinished = new AtomicIntegerArray(byHead.maxCutUnits());
        memory.reserve(valueLength, false);
        if (keys.form() != CacheForm.F32) {
            memory.reservePanels(keyLength, 0, valueLength);
        }
    }

    /** Whether following key-value heads have the same number of query heads. */
    private static boolean alike(int[] groups) {
        for (int i = 3; i < groups.length; i += 3) {
            if (groups[i + 1] != groups[1] || groups[i + 2] != groups[i - 1] + 1) {
                return false;
            }
        }
        return groups.length > 3;
    }

    static Optional<Kernel> of(Workers workers, AttendMemory memory, OpCall call, BuiltinOp.Attend op) {
        Optional<CacheForm> keys = CacheForm.of(call.input(1));
        if (call.input(0).dtype() != DType.F32 || keys.isEmpty() || !keys.equals(CacheForm.of(call.input(2)))) {
            return Optional.empty();
        }
        return call.inputs().size() > 3
                ? Widened.of(call.input(3), 0).map(sinks -> new AttendKernel(workers, memory, call, op, sinks))
                : Optional.of(new AttendKernel(workers, memory, call, op, null));
    }

    @Override
    public void run(Step step) {
        int rows = out.rows();
        if (rows == 0 || groups.length == 0 || valueLength == 0) {
            return;
        }
        if (sinks != null) {
            sinks.segment();
        }
        current = step;
        boolean rowEach = (workers.threads() == 1 || rows >= 2 * workers.threads()) && step.spanOf(rows - 1) == rows - 1;
        tiles = whole != null && rowEach ? whole : byHead;
        tiles.cut(step, rows, AttendMemory.LIMIT);
        memory.reserveResults(tiles.cutBytes());
        for (int tile = 0, unit = 0; unit < tiles.cutUnits(); tile++) {
            for (int group = 0; tiles.cut(tile) && group < tiles.groups(); group++) {
                unfinished.set(unit++, tiles.chunks(tile));
            }
        }
        workers.run(this, tiles.tasks(), tiles.seen() * queries.width() >= ContractKernel.WORTH_WAKING);
    }

    @Override
    public void compute(int task, int thread) {
        Step step = Objects.requireNonNull(current);
        int tile = tiles.tile(task);
        int group = tiles.group(tile, task);
        int firstRow = tiles.firstRow(tile);
        AttendChunk chunk = memory.chunk(thread);
        begin(chunk, tile, group);
        int span = step.spanOf(firstRow);
        int position = step.position(firstRow);
        if (!tiles.cut(tile)) {
            results(chunk, firstRow, groups[3 * group]);
            chunk.keepState();
            beginPairs(chunk, groups[3 * group]);
            for (int i = 0; i < tiles.chunks(tile); i++) {
                find(chunk, step, span, position, i);
                findLater(chunk, step, span, position, i + 1, 0, 1);
                attention.compute(chunk);
            }
            finish(chunk);
            return;
        }
        int number = tiles.chunk(tile, task);
        long result = tiles.result(tile, group, number);
        chunk.keepState(memory.results(), result);
        chunk.out.set(memory.results(), result + 8L * chunk.pairs(), 4L * chunk.heads * valueLength, 4L * valueLength);
        for (int pair = 0; pair < chunk.pairs(); pair++) {
            chunk.begin(pair);
        }
        find(chunk, step, span, position, number);
        findLater(chunk, step, span, position, number + 1, group, tiles.groups());
        attention.compute(chunk);
        if (unfinished.decrementAndGet(tiles.unit(tile, group)) == 0) {
            join(chunk, tile, group);
        }
    }

    private void begin(AttendChunk chunk, int tile, int group) {
        int row = tiles.firstRow(tile);
        int head = groups[3 * group];
        int kvHead = groups[3 * group + 2];
        chunk.rows = tiles.rows(tile);
        chunk.heads = tiles == byHead ? groups[3 * group + 1] : queries.extent(1);
        chunk.sharing = groups[3 * group + 1];
        chunk.keyLength = keyLength;
        chunk.turnedLength = 0;
        chunk.valueLength = valueLength;
        chunk.window = window;
        chunk.scale = scale;
        chunk.queries.set(queries.segment(), 4L * ((long) row * queries.width() + (long) head * keyLength), 4L * queries.width(),
                4L * keyLength);
        chunk.keys.set(keys, kvHead);
        chunk.values.set(values, kvHead);
    }

    private void results(AttendChunk chunk, int row, int head) {
        chunk.out.set(out.segment(), 4L * ((long) row * out.width() + (long) head * valueLength), 4L * out.width(),
                4L * valueLength);
    }

    private void beginPairs(AttendChunk chunk, int head) {
        for (int pair = 0; pair < chunk.pairs(); pair++) {
            if (sinks == null) {
                chunk.begin(pair);
            } else {
                chunk.begin(pair, sinks.segment().get(JAVA_FLOAT_UNALIGNED, 4L * (head + pair % chunk.heads)));
            }
        }
    }

    /** Where the positions of one of the chunks lie that a tile sees, counted from the first. */
    private void find(AttendChunk chunk, Step step, int span, int position, int number) {
        int first = first(position);
        int start = (first / Softmax.CHUNK + number) * Softmax.CHUNK;
        chunk.from = Math.max(0, first - start);
        chunk.to = Math.min(Softmax.CHUNK, position + chunk.rows - start);
        chunk.position = position - start;
        chunk.find(step, span, start);
    }

    private int first(int position) {
        return window == 0 ? 0 : Math.max(0, position - window + 1);
    }

    /**
     * What is read after a chunk. Tasks of a tile that is cut go over all key-value heads of a chunk before they come to the next one, which lie side by side:
     * with each comes an equal part of the next chunk's positions, of all heads.
     */
    private void findLater(AttendChunk chunk, Step step, int span, int position, int next, int part, int parts) {
        int start = (first(position) / Softmax.CHUNK + next) * Softmax.CHUNK;
        int end = Math.min(start + Softmax.CHUNK, position + chunk.rows);
        int size = step.blockSize();
        int blocks = Math.ceilDiv(Math.max(0, end - start), size);
        int from = start + blocks * part / parts * size;
        int to = Math.min(end, start + blocks * (part + 1) / parts * size);
        int heads = parts == 1 ? chunk.heads / chunk.shared() : groups[groups.length - 1] - groups[2] + 1;
        chunk.findLater(step, span, from, to, heads, parts == 1 ? 0 : groups[2] - groups[3 * part + 2]);
    }

    /** Joins the results of the chunks of a unit, in their order. */
    private void join(AttendChunk chunk, int tile, int group) {
        results(chunk, tiles.firstRow(tile), groups[3 * group]);
        chunk.keepState();
        beginPairs(chunk, groups[3 * group]);
        for (int i = 0; i < tiles.chunks(tile); i++) {
            attention.join(chunk, memory.results(), tiles.result(tile, group, i));
        }
        finish(chunk);
    }

    private static void finish(AttendChunk chunk) {
        for (int pair = 0; pair < chunk.pairs(); pair++) {
            chunk.finish(pair);
        }
    }
}
