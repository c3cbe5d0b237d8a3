package org.maniple.collectives.tree;

import java.lang.foreign.MemorySegment;
import org.maniple.api.transport.Window;
import org.maniple.api.transport.Wire;

/**
 * Operations of ranks that share memory: everybody shows what it has, and takes what it needs from where the others show it. Nothing is
 * received into memory in between. What does not fit into a window goes through it piece by piece, and stays in the cache meanwhile.
 */
final class SharedMemory {

    /** Up to this size, everybody sums everything after one round; above, everybody a part, and shows its sums in another one. */
    static final long ONE_ROUND = 16 << 10;
    /** Of two ranks each reads as much of the other's memory in both ways. */
    static final long ONE_ROUND_OF_TWO = 64 << 10;

    private static final int[] NO_LEAVES = {};
    /** Parts begin at cache lines. */
    private static final long LINE = 64;

    private final Wire wire;
    private final long limitNanos;
    private final TreeSum sum;

    SharedMemory(Wire wire, long limitNanos, TreeSum sum) {
        this.wire = wire;
        this.limitNanos = limitNanos;
        this.sum = sum;
    }

    private void round(GroupState state, Window window, long tag, long bytes, long written) {
        window.publish(tag, bytes, written);
        int own = state.island.position();
        int size = state.island.size();
        for (int i = own + 1; i < size; i++) {
            wire.await(window.arrival(i), limitNanos);
        }
        for (int i = 0; i < own; i++) {
            wire.await(window.arrival(i), limitNanos);
        }
    }

    void barrier(GroupState state, Window window, long tag) {
        round(state, window, tag, 0, 0);
    }

    void allReduce(GroupState state, Window window, long tag, MemorySegment floats) {
        long bytes = floats.byteSize();
        if (bytes <= (state.size == 2 ? ONE_ROUND_OF_TWO : ONE_ROUND)) {
            allReduceInOneRound(state, window, tag, floats);
            return;
        }
        allReduceByPieces(state, window, tag, floats);
    }

    private void allReduceInOneRound(GroupState state, Window window, long tag, MemorySegment floats) {
        long bytes = floats.byteSize();
        MemorySegment.copy(floats, 0, window.own(), 0, bytes);
        round(state, window, tag, bytes, bytes);
        for (int i = 0; i < state.size; i++) {
            state.addends[i] = i == state.position ? floats : window.of(i);
        }
        sum.add(state.addends, state.size, bytes, floats);
    }

    /**
     * Everybody sums a part of each piece. In a round a rank shows what it has for the others' parts of a piece, and in the place of its own part the
     * sums of the piece before: so a piece takes one round, and there is much to do between two of them.
     */
    private void allReduceByPieces(GroupState state, Window window, long tag, MemorySegment floats) {
        long bytes = floats.byteSize();
        // If there are several, smaller ones: where ranks share processors they then wait for each other for a shorter time.
        long most = (bytes > window.bytes() ? window.bytes() / 2 : window.bytes()) / (state.size * LINE) * LINE;
        long slot = Math.min(most, Math.ceilDiv(bytes, state.size * LINE) * LINE);
        long piece = slot * state.size;
        long written = showForOthers(state, window, floats, 0, slot);
        for (long at = 0; at < bytes + piece; at += piece) {
            window.publish(tag, bytes, written);
            takeSums(state, window, floats, at - piece, slot);
            if (at < bytes) {
                written = sumOwnPart(state, window, floats, at, slot) + showForOthers(state, window, floats, at + piece, slot);
            }
        }
    }

    private static long showForOthers(GroupState state, Window window, MemorySegment floats, long at, long slot) {
        long written = 0;
        for (int i = 0; i < state.size; i++) {
            if (i != state.position) {
                written += copy(floats, at + i * slot, window.own(), i * slot,
                        Math.clamp(floats.byteSize() - at - i * slot, 0, slot));
            }
        }
        return written;
    }

    private long sumOwnPart(GroupState state, Window window, MemorySegment floats, long at, long slot) {
        for (int i = 0; i < state.size; i++) {
            state.addends[i] = i == state.position ? floats : window.of(i);
        }
        long from = state.position * slot;
        long own = Math.clamp(floats.byteSize() - at - from, 0, slot);
        sum.add(state.addends, from, state.position, at + from, 0, state.size, NO_LEAVES, own, window.own(), from, floats,
                at + from);
        return own;
    }

    /** Awaits all others, and takes what they have summed of the piece before. */
    private void takeSums(GroupState state, Window window, MemorySegment floats, long at, long slot) {
        for (int i = next(state, state.position); i != state.position; i = next(state, i)) {
            wire.await(window.arrival(i), limitNanos);
            if (at >= 0) {
                copy(window.of(i), i * slot, floats, at + i * slot, Math.clamp(floats.byteSize() - at - i * slot, 0, slot));
            }
        }
    }

    private static long copy(MemorySegment from, long at, MemorySegment to, long into, long bytes) {
        if (bytes > 0) {
            MemorySegment.copy(from, at, to, into, bytes);
        }
        return bytes;
    }

    private static int next(GroupState state, int position) {
        return position + 1 == state.size ? 0 : position + 1;
    }

    void reduceScatter(GroupState state, Window window, long tag, MemorySegment floats, long[] partBytes, MemorySegment mine) {
        long piece = window.bytes() / state.size / LINE * LINE;
        long largest = largest(partBytes);
        long own = partBytes[state.position];
        long myFrom = offset(partBytes, state.position);
        for (long at = 0; at == 0 || at < largest; at += piece) {
            MemorySegment shown = window.own();
            long written = 0;
            long part = 0;
            for (int i = 0; i < state.size; i++) {
                long bytes = Math.clamp(partBytes[i] - at, 0, piece);
                if (i != state.position) {
                    MemorySegment.copy(floats, bytes == 0 ? 0 : part + at, shown, i * piece, bytes);
                    written += bytes;
                }
                part += partBytes[i];
            }
            round(state, window, tag, floats.byteSize(), written);
            long bytes = Math.clamp(own - at, 0, piece);
            for (int i = 0; i < state.size; i++) {
                state.addends[i] = i == state.position ? floats : window.of(i);
            }
            sum.add(state.addends, state.position * piece, state.position, myFrom + at, 0, state.size, NO_LEAVES, bytes, mine,
                    at);
        }
    }

    void allGather(GroupState state, Window window, long tag, MemorySegment mine, long[] partBytes, MemorySegment all) {
        long piece = window.bytes();
        long largest = largest(partBytes);
        for (long at = 0; at == 0 || at < largest; at += piece) {
            long own = Math.clamp(mine.byteSize() - at, 0, piece);
            MemorySegment.copy(mine, Math.min(at, mine.byteSize()), window.own(), 0, own);
            window.publish(tag, all.byteSize(), own);
            for (int i = next(state, state.position); i != state.position; i = next(state, i)) {
                wire.await(window.arrival(i), limitNanos);
                long bytes = Math.clamp(partBytes[i] - at, 0, piece);
                MemorySegment.copy(window.of(i), 0, all, bytes == 0 ? 0 : offset(partBytes, i) + at, bytes);
            }
        }
    }

    private static long largest(long[] partBytes) {
        long largest = 0;
        for (long bytes : partBytes) {
            largest = Math.max(largest, bytes);
        }
        return largest;
    }

    private static long offset(long[] partBytes, int position) {
        long offset = 0;
        for (int i = 0; i < position; i++) {
            offset += partBytes[i];
        }
        return offset;
    }

    /**
     * Adds the floats of an island where its first rank shows the sum, which is then to be given to {@link #spread}.
     *
     * @param part what of the floats; at most the window's size
     */
    void sumIsland(GroupState state, Window window, long tag, MemorySegment floats, long at, long part) {
        boolean leads = state.island.position() == 0;
        if (!leads) {
            MemorySegment.copy(floats, at, window.own(), 0, part);
        }
        round(state, window, tag, floats.byteSize(), leads ? 0 : part);
        if (leads) {
            int first = state.islands.first;
            for (int i = 0; i < state.island.size(); i++) {
                state.addends[first + i] = i == 0 ? floats : window.of(i);
            }
            sum.add(state.addends, 0, first, at, first, first + state.island.size(), NO_LEAVES, part, floats, at);
        }
    }

    /** Gives what the first rank of an island has to the others. */
    void spread(GroupState state, Window window, long tag, MemorySegment floats, long at, long part) {
        boolean leads = state.island.position() == 0;
        if (leads) {
            MemorySegment.copy(floats, at, window.own(), 0, part);
        }
        round(state, window, tag, floats.byteSize(), leads ? part : 0);
        if (!leads) {
            MemorySegment.copy(window.of(0), 0, floats, at, part);
        }
    }
}
