package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.maniple.api.compute.Kernel;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.Tensor;

/**
 * Latent attention whose maps are applied to every cached latent, as {@link LatentForm#EXPANDED} says. The softmax takes positions in chunks
 * from the first one on. Threads take a head of a row.
 */
final class ExpandedAttendKernel implements Kernel, Workers.Task {

    /**
     * What a thread needs.
     *
     * @param expanded a head's keys, and later its values, of a chunk of positions
     * @param scores of a chunk; later weights
     * @param turnedScores the part of them that comes from turned keys
     * @param part sums of a chunk's values
     * @param state the greatest score so far, and the sum of weights relative to it
     * @param latents those of a chunk as floats, then its turned keys; only if they are held otherwise
     */
    private record Room(Softmax softmax, MemorySegment expanded, MemorySegment scores, MemorySegment turnedScores,
            MemorySegment part, MemorySegment state, MemorySegment latents) {}

    private final Workers workers;
    private final Scratch[] scratch;
    private final LatentAttention latent;
    private final float scale;
    private final Room[] rooms;
    private final AttendChunk.Rows latents = new AttendChunk.Rows();
    private final AttendChunk.Rows turnedKeys = new AttendChunk.Rows();
    private final PlainProduct keyScores;
    private final PlainProduct turnedScores;
    /** The step that is being computed; set before the threads begin. */
    private @Nullable Step current;

    ExpandedAttendKernel(Workers workers, Scratch[] scratch, LatentAttention latent, BuiltinOp.AttendLatent op) {
        this.workers = workers;
        this.scratch = scratch;
        this.latent = latent;
        this.scale = (float) op.scale();
        this.keyScores = new PlainProduct(new F32Rows(), latent.keyLength());
        this.turnedScores = new PlainProduct(new F32Rows(), latent.turnedLength());
        latents.set(latent.latents(), 0);
        turnedKeys.set(latent.turnedKeys(), 0);
        this.rooms = new Room[workers.threads()];
        long bytes = Softmax.STRIDE * Math.max(latent.keyLength(), latent.valueLength());
        for (int i = 0; i < rooms.length; i++) {
            Arena arena = Arena.ofAuto();
            rooms[i] = new Room(new Softmax(scratch[i].lanes()), arena.allocate(bytes, 64),
                    arena.allocate(Softmax.STRIDE, 64), arena.allocate(Softmax.STRIDE, 64),
                    arena.allocate(4L * latent.valueLength() + 4, 64), arena.allocate(8, 8),
                    latent.form() == CacheForm.F32
                            ? MemorySegment.NULL
                            : arena.allocate(Softmax.STRIDE * (latent.latentLength() + latent.turnedLength()), 64));
            latent.keyMap().reserve(scratch[i]);
            latent.valueMap().reserve(scratch[i]);
        }
    }

    @Override
    public void run(Step step) {
        int rows = latent.out().rows();
        current = step;
        long work = latent.seen(step) * latent.heads() * latent.latentLength();
        workers.run(this, rows * latent.heads(), work >= ContractKernel.WORTH_WAKING / 4);
    }

    @Override
    public void compute(int chunk, int thread) {
        Step step = Objects.requireNonNull(current);
        int row = chunk / latent.heads();
        int head = chunk % latent.heads();
        Room room = rooms[thread];
        Tensor out = latent.out();
        int length = latent.valueLength();
        long result = 4L * ((long) row * out.width() + (long) head * length);
        WeightedRows.clear(out.segment(), result, length);
        room.state.set(JAVA_FLOAT, 0, Float.NEGATIVE_INFINITY);
        room.state.set(JAVA_FLOAT, 4, 0);
        int span = step.spanOf(row);
        int end = step.position(row) + 1;
        for (int from = 0; from < end; from += Softmax.CHUNK) {
            int to = Math.min(end, from + Softmax.CHUNK);
            widen(room, step, span, from, to);
            scores(room, step, row, head, from, to, scratch[thread]);
            room.softmax.weigh(room.scores, 0, 0, to - from, scale);
            expand(room, step, span, from, to, latent.valueMap(), head * length, length, scratch[thread]);
            WeightedRows.clear(room.part, 0, length);
            WeightedRows.add(room.expanded, 0, 4L * length, to - from, room.scores, 0, room.part, 0, length);
            room.softmax.join(room.state, 0, 4, out.segment(), result, room.softmax.greatest(), room.softmax.sum(), room.part, 0,
                    length);
        }
        Functions.divide(out.segment(), result, room.state.get(JAVA_FLOAT, 4), length);
    }

    private void scores(Room room, Step step, int row, int head, int from, int to, Scratch mine) {
        int length = latent.keyLength();
        long bytes = 4L * length;
        long turnedBytes = 4L * latent.turnedLength();
        long number = (long) row * latent.heads() + head;
        int span = step.spanOf(row);
        MemorySegment scores = room.scores;
        expand(room, step, span, from, to, latent.keyMap(), head * length, length, mine);
        keyScores.compute(room.expanded, 0, bytes, to - from, latent.queries().segment(), number * bytes, bytes, 1, scores, 0,
                Softmax.STRIDE, mine.lanes());
        for (int position = from; position < to;) {
            int taken = floats() ? LatentAttention.run(step, position, to) : to - position;
            MemorySegment keys = floats() ? latent.turnedKeys().memory() : room.latents;
            long at = floats() ? step.slot(span, position) * turnedBytes : Softmax.STRIDE * latent.latentLength();
            turnedScores.compute(keys, at, turnedBytes, taken, latent.turnedQueries().segment(), number * turnedBytes,
                    turnedBytes, 1, room.turnedScores, 4L * (position - from), Softmax.STRIDE, mine.lanes());
            position += taken;
        }
        int padded = Math.ceilDiv(to - from, Lanes.COUNT) * Lanes.COUNT;
        Functions.add(scores, 0, room.turnedScores, 0, scores, 0, padded);
    }

    /** Applies some rows of a map to the latents of a chunk of positions. */
    private void expand(Room room, Step step, int span, int from, int to, WeightMatrix map, int firstRow, int length,
            Scratch mine) {
        long bytes = 4L * latent.latentLength();
        for (int position = from; position < to;) {
            int taken = floats() ? LatentAttention.run(step, position, to) : to - position;
            MemorySegment rows = floats() ? latent.latents().memory() : room.latents;
            long at = floats() ? step.slot(span, position) * bytes : 0;
            map.multiply(0, firstRow, length, rows, at, bytes, 0, taken, room.expanded, 4L * (position - from) * length,
                    4L * length, mine);
            position += taken;
        }
    }

    private boolean floats() {
        return latent.form() == CacheForm.F32;
    }

    /** Makes floats of the latents and turned keys of a chunk, if they are not. */
    private void widen(Room room, Step step, int span, int from, int to) {
        for (int position = from; position < to && !floats();) {
            int taken = LatentAttention.run(step, position, to);
            long slot = step.slot(span, position);
            latents.widen(slot, taken, latent.latentLength(), room.latents,
                    4L * (position - from) * latent.latentLength());
            turnedKeys.widen(slot, taken, latent.turnedLength(), room.latents,
                    Softmax.STRIDE * latent.latentLength() + 4L * (position - from) * latent.turnedLength());
            position += taken;
        }
    }
}
