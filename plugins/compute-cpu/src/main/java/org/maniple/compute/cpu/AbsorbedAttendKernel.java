package org.maniple.compute.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.maniple.api.compute.Kernel;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.step.Step;

/**
 * Latent attention with absorbed maps. The key map is applied to a query once, so that its product with a latent is the score; what is
 * gathered are latents, and the value map is applied to their weighted sum. The softmax takes positions in chunks from the first one on.
 * Threads take a few heads of a few rows, for which rows of a map are made floats once.
 */
final class AbsorbedAttendKernel implements Kernel, Workers.Task {

    /** Heads of a task at most: what is read of a position then serves so many. */
    private static final int HEADS = 8;
    /** Rows of a task at most. */
    private static final int ROWS = 4;
    /** Rows of the key map that are made floats at once. */
    private static final int PANEL_ROWS = 8;

    /**
     * What a thread needs.
     *
     * @param mapped queries that the key map was applied to, row by row, of each its heads
     * @param gathered weighted sums of latents, likewise
     * @param panel rows of the key map
     */
    private record Room(MemorySegment mapped, MemorySegment gathered, MemorySegment panel) {

        static Room of(int heads, int length) {
            Arena arena = Arena.ofAuto();
            return new Room(arena.allocate(4L * ROWS * heads * length + 64, 64),
                    arena.allocate(4L * ROWS * heads * length + 64, 64), arena.allocate(4L * PANEL_ROWS * length + 64, 64));
        }
    }

    private final Workers workers;
    private final Scratch[] scratch;
    private final LatentAttention latent;
    private final float scale;
    private final int heads;
    private final Room[] rooms;
    private final AttendTiles tiles;
    private final AttendMemory memory;
    private final Attention attention;
    /** The step that is being computed; set before the threads begin. */
    private @Nullable Step current;

    AbsorbedAttendKernel(Workers workers, Scratch[] scratch, AttendMemory memory, LatentAttention latent,
            BuiltinOp.AttendLatent op) {
        this.workers = workers;
        this.scratch = scratch;
        this.latent = latent;
        this.scale = (float) op.scale();
        this.heads = Math.clamp(Math.ceilDiv(latent.heads(), workers.threads()), 1, HEADS);
        this.memory = memory;
        this.attention = memory.attention(latent.form(), latent.latentLength(), latent.turnedLength());
        memory.reserve(latent.latentLength(), true);
        if (latent.form() != CacheForm.F32) {
            memory.reservePanels(latent.latentLength(), latent.turnedLength(), latent.latentLength());
        }
        this.tiles = new AttendTiles(groups(), ROWS, 0, workers.threads(), latent.out().extent(0), 0);
        this.rooms = new Room[workers.threads()];
        for (int i = 0; i < rooms.length; i++) {
            rooms[i] = Room.of(heads, latent.latentLength());
            latent.keyMap().reserve(scratch[i]);
            latent.valueMap().reserve(scratch[i]);
        }
    }

    private int groups() {
        return Math.ceilDiv(latent.heads(), heads);
    }

    @Override
    public void run(Step step) {
        int rows = latent.out().rows();
        if (rows == 0 || latent.heads() == 0) {
            return;
        }
        current = step;
        tiles.cut(step, rows, 0);
        long work = (latent.seen(step) + rows * (long) latent.keyLength()) * latent.heads() * latent.latentLength();
        workers.run(this, tiles.tasks(), work >= ContractKernel.WORTH_WAKING);
    }

    @Override
    public void compute(int task, int thread) {
        Step step = Objects.requireNonNull(current);
        int tile = tiles.tile(task);
        int firstRow = tiles.firstRow(tile);
        int rows = tiles.rows(tile);
        int firstHead = tiles.group(tile, task) * heads;
        int count = Math.min(heads, latent.heads() - firstHead);
        Room room = rooms[thread];
        for (int head = 0; head < count; head++) {
            absorb(room, firstRow, rows, firstHead, head, scratch[thread]);
        }
        attend(room, step, firstRow, rows, firstHead, count, memory.chunk(thread));
        for (int head = 0; head < count; head++) {
            expand(room, firstRow, rows, firstHead, head, scratch[thread]);
        }
    }

    private long own(int row, int head) {
        return 4L * ((long) row * heads + head) * latent.latentLength();
    }

    /** Applies the key map to the queries of a head: adds its rows, each times an element of the query. */
    private void absorb(Room room, int firstRow, int rows, int firstHead, int head, Scratch mine) {
        int length = latent.latentLength();
        int keyLength = latent.keyLength();
        for (int row = 0; row < rows; row++) {
            WeightedRows.clear(room.mapped, own(row, head), length);
        }
        for (int from = 0; from < keyLength; from += PANEL_ROWS) {
            int taken = Math.min(PANEL_ROWS, keyLength - from);
            for (int i = 0; i < taken; i++) {
                latent.keyMap().widen(0, (firstHead + head) * keyLength + from + i, room.panel, 4L * i * length, mine);
            }
            for (int row = 0; row < rows; row++) {
                long query = (long) (firstRow + row) * latent.queries().width() + (long) (firstHead + head) * keyLength + from;
                WeightedRows.add(room.panel, 0, 4L * length, taken, latent.queries().segment(), 4 * query, room.mapped,
                        own(row, head), length);
            }
        }
    }

    /** Gathers the latents of the positions that the rows see. All heads read the same. */
    private void attend(Room room, Step step, int firstRow, int rows, int firstHead, int count, AttendChunk chunk) {
        long bytes = 4L * latent.latentLength();
        long turnedBytes = 4L * latent.turnedLength();
        chunk.rows = rows;
        chunk.heads = count;
        chunk.sharing = 0;
        chunk.keyLength = latent.latentLength();
        chunk.turnedLength = latent.turnedLength();
        chunk.valueLength = latent.latentLength();
        chunk.window = 0;
        chunk.scale = scale;
        chunk.queries.set(room.mapped, 0, bytes * heads, bytes);
        chunk.turnedQueries.set(latent.turnedQueries().segment(), turnedBytes * ((long) firstRow * latent.heads() + firstHead),
                turnedBytes * latent.heads(), turnedBytes);
        chunk.keys.set(latent.latents(), 0);
        chunk.turnedKeys.set(latent.turnedKeys(), 0);
        chunk.values.set(latent.latents(), 0);
        chunk.out.set(room.gathered, 0, bytes * heads, bytes);
        chunk.keepState();
        for (int pair = 0; pair < chunk.pairs(); pair++) {
            chunk.begin(pair);
        }
        int span = step.spanOf(firstRow);
        int position = step.position(firstRow);
        for (int start = 0; start < position + rows; start += Softmax.CHUNK) {
            chunk.from = 0;
            chunk.to = Math.min(Softmax.CHUNK, position + rows - start);
            chunk.position = position - start;
            chunk.find(step, span, start);
            attention.compute(chunk);
        }
        for (int pair = 0; pair < chunk.pairs(); pair++) {
            chunk.finish(pair);
        }
    }

    /** Applies the value map of a head to what was gathered. */
    private void expand(Room room, int firstRow, int rows, int firstHead, int head, Scratch mine) {
        int valueLength = latent.valueLength();
        int number = firstHead + head;
        latent.valueMap().multiply(0, number * valueLength, valueLength, room.gathered, own(0, head), own(1, 0), 0, rows,
                latent.out().segment(), 4L * ((long) firstRow * latent.out().width() + (long) number * valueLength),
                4L * latent.out().width(), mine);
    }
}
