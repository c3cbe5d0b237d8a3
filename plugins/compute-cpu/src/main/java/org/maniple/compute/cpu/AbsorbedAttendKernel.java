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
     * @param turnedScores the part of a chunk's scores that comes from turned keys
     * @param panel rows of the key map
     */
    private record Room(Softmax softmax, MemorySegment mapped, MemorySegment gathered, MemorySegment turnedScores,
            MemorySegment panel) {

        static Room of(int heads, int length, float[] lanes) {
            Arena arena = Arena.ofAuto();
            return new Room(new Softmax(heads, lanes), arena.allocate(4L * ROWS * heads * length + 64, 64),
                    arena.allocate(4L * ROWS * heads * length + 64, 64), arena.allocate(Softmax.STRIDE * heads, 64),
                    arena.allocate(4L * PANEL_ROWS * length + 64, 64));
        }
    }

    private final Workers workers;
    private final Scratch[] scratch;
    private final LatentAttention latent;
    private final float scale;
    private final int heads;
    private final Room[] rooms;
    private final PlainProduct latentScores;
    private final PlainProduct turnedScores;
    /** The step that is being computed; set before the threads begin. */
    private @Nullable Step current;

    AbsorbedAttendKernel(Workers workers, Scratch[] scratch, LatentAttention latent, BuiltinOp.AttendLatent op) {
        this.workers = workers;
        this.scratch = scratch;
        this.latent = latent;
        this.scale = (float) op.scale();
        this.heads = Math.clamp(Math.ceilDiv(latent.heads(), workers.threads()), 1, HEADS);
        this.latentScores = new PlainProduct(new F32Rows(), latent.latentLength());
        this.turnedScores = new PlainProduct(new F32Rows(), latent.turnedLength());
        this.rooms = new Room[workers.threads()];
        for (int i = 0; i < rooms.length; i++) {
            rooms[i] = Room.of(heads, latent.latentLength(), scratch[i].lanes());
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
        current = step;
        long work = (latent.seen(step) + rows * (long) latent.keyLength()) * latent.heads() * latent.latentLength();
        workers.run(this, Math.ceilDiv(rows, ROWS) * groups(), work >= ContractKernel.WORTH_WAKING);
    }

    @Override
    public void compute(int chunk, int thread) {
        Step step = Objects.requireNonNull(current);
        int firstRow = chunk / groups() * ROWS;
        int rows = Math.min(ROWS, latent.out().rows() - firstRow);
        int firstHead = chunk % groups() * heads;
        int count = Math.min(heads, latent.heads() - firstHead);
        Room room = rooms[thread];
        for (int head = 0; head < count; head++) {
            absorb(room, firstRow, rows, firstHead, head, scratch[thread]);
        }
        for (int row = 0; row < rows; row++) {
            attend(room, step, firstRow + row, row, firstHead, count);
        }
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

    /** Gathers the latents of the positions that a row sees. */
    private void attend(Room room, Step step, int row, int own, int firstHead, int count) {
        int length = latent.latentLength();
        WeightedRows.clear(room.gathered, own(own, 0), count * length);
        for (int head = 0; head < count; head++) {
            room.softmax.begin(head);
        }
        int end = step.position(row) + 1;
        for (int from = 0; from < end; from += Softmax.CHUNK) {
            int to = Math.min(end, from + Softmax.CHUNK);
            scores(room, step, row, own, firstHead, count, from, to);
            for (int head = 0; head < count; head++) {
                room.softmax.weigh(head, to - from, scale, room.gathered, own(own, head), length);
            }
            gather(room, step, row, own, count, from, to);
        }
        for (int head = 0; head < count; head++) {
            room.softmax.divide(head, room.gathered, own(own, head), length);
        }
    }

    private void scores(Room room, Step step, int row, int own, int firstHead, int count, int from, int to) {
        long bytes = 4L * latent.latentLength();
        long turnedBytes = 4L * latent.turnedLength();
        long turnedQuery = turnedBytes * ((long) row * latent.heads() + firstHead);
        int span = step.spanOf(row);
        float[] lanes = room.softmax.lanes();
        MemorySegment scores = room.softmax.scores();
        for (int position = from; position < to;) {
            int taken = LatentAttention.run(step, position, to);
            long slot = step.slot(span, position);
            long at = 4L * (position - from);
            latentScores.compute(latent.latents().segment(), slot * bytes, bytes, taken, room.mapped, own(own, 0), bytes, count,
                    scores, at, Softmax.STRIDE, lanes);
            turnedScores.compute(latent.turnedKeys().segment(), slot * turnedBytes, turnedBytes, taken,
                    latent.turnedQueries().segment(), turnedQuery, turnedBytes, count, room.turnedScores, at, Softmax.STRIDE,
                    lanes);
            position += taken;
        }
        int padded = Math.ceilDiv(to - from, Lanes.COUNT) * Lanes.COUNT;
        for (int head = 0; head < count; head++) {
            long at = Softmax.STRIDE * head;
            Functions.add(scores, at, room.turnedScores, at, scores, at, padded);
        }
    }

    private void gather(Room room, Step step, int row, int own, int count, int from, int to) {
        int length = latent.latentLength();
        int span = step.spanOf(row);
        for (int position = from; position < to;) {
            int taken = LatentAttention.run(step, position, to);
            long slot = step.slot(span, position);
            for (int head = 0; head < count; head++) {
                WeightedRows.add(latent.latents().segment(), 4L * slot * length, 4L * length, taken, room.softmax.scores(),
                        Softmax.STRIDE * head + 4L * (position - from), room.gathered, own(own, head), length);
            }
            position += taken;
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
