package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.maniple.api.tensor.CachedRows;
import org.maniple.api.tensor.Tensor;

/** Native attention has to give the bits of the Vector API on a small chunk before it is used. */
final class AttentionCheck {

    private static final int KEY = 40;
    private static final int TURNED = 17;
    private static final int VALUE = 83;
    private static final int ROWS = 3;
    private static final int HEADS = 3;
    private static final int SLOTS = 48;
    private static final float NEAR = 0x1p-13f;

    private AttentionCheck() {}

    /** Whether it computes the same bits with states of floats. */
    static boolean agrees(NativeAttention attention) {
        return agrees(attention, CacheForm.F32, null);
    }

    /**
     * Whether it computes the same bits, and states are stored as the same ones.
     *
     * @param rows stores rows of states that are not of floats
     */
    static boolean agrees(NativeAttention attention, CacheForm form, @Nullable NativeRows rows) {
        var expected = new VectorAttention(KEY, TURNED);
        return results(attention, HEADS, form, rows).mismatch(results(expected, HEADS, form, null)) < 0
                && results(attention, 1, form, rows).mismatch(results(expected, 1, form, null)) < 0;
    }

    /** Whether it is as near to what the Vector API computes as 16 bits of queries and weights are. */
    static boolean near(NativeAttention attention, CacheForm form) {
        for (int shared : new int[] {HEADS, 1}) {
            MemorySegment found = results(attention, shared, form, null);
            MemorySegment expected = results(new VectorAttention(KEY, TURNED), shared, form, null);
            for (long at = 0; at < expected.byteSize(); at += 4) {
                // Of numbers below 1; what is not a number is not near.
                if (!(Math.abs(found.get(JAVA_FLOAT, at) - expected.get(JAVA_FLOAT, at)) < NEAR)) {
                    return false;
                }
            }
        }
        return true;
    }

    /** The results of heads some of which share a key-value head. */
    private static MemorySegment results(Attention attention, int shared, CacheForm form, @Nullable NativeRows rows) {
        Arena arena = Arena.ofAuto();
        var chunk = new AttendChunk(new float[Lanes.SCRATCH]);
        chunk.reserve(VALUE, true);
        chunk.reservePanel(KEY, TURNED, VALUE);
        chunk.rows = ROWS;
        chunk.heads = HEADS;
        chunk.keyLength = KEY;
        chunk.turnedLength = TURNED;
        chunk.valueLength = VALUE;
        chunk.from = 1;
        chunk.to = 1 + SLOTS - 5;
        chunk.position = chunk.to - 2;
        chunk.window = SLOTS - 8;
        chunk.scale = 0.3f;
        chunk.queries.set(floats(arena, ROWS * HEADS * KEY, 1), 0, 4L * HEADS * KEY, 4L * KEY);
        chunk.turnedQueries.set(floats(arena, ROWS * HEADS * TURNED, 2), 0, 4L * HEADS * TURNED, 4L * TURNED);
        int keyHeads = HEADS / shared;
        CachedState keys = state(arena, form, rows, keyHeads, KEY, 3);
        CachedState values = state(arena, form, rows, keyHeads, VALUE, 5);
        chunk.keys.set(keys, 0);
        chunk.turnedKeys.set(state(arena, form, rows, 1, TURNED, 4), 0);
        chunk.values.set(values, 0);
        MemorySegment out = arena.allocate(4L * ROWS * HEADS * VALUE, 64);
        chunk.out.set(out, 0, 4L * HEADS * VALUE, 4L * VALUE);
        chunk.runs(20, 22, 0, 21);
        if (attention.severalKeyHeads()) {
            chunk.sharing = shared;
            compute(attention, chunk);
            return out;
        }
        chunk.heads = shared;
        for (int keyHead = 0; keyHead < keyHeads; keyHead++) {
            compute(attention, chunk);
            chunk.queries.at += 4L * KEY * shared;
            chunk.turnedQueries.at += 4L * TURNED * shared;
            if (keyHead + 1 < keyHeads) {
                chunk.keys.set(keys, keyHead + 1);
                chunk.values.set(values, keyHead + 1);
            }
            chunk.out.at += 4L * VALUE * shared;
        }
        return out;
    }

    private static void compute(Attention attention, AttendChunk chunk) {
        for (int pair = 0; pair < chunk.pairs(); pair++) {
            chunk.begin(pair);
        }
        attention.compute(chunk);
    }

    private static CachedState state(Arena arena, CacheForm form, @Nullable NativeRows rows, int heads, int length, int seed) {
        MemorySegment floats = floats(arena, SLOTS * heads * length, seed);
        Tensor tensor = form.tensor(new int[] {SLOTS, heads, length}, bytes -> arena.allocate(bytes, 64));
        CachedState state = CachedState.of(tensor).orElseThrow();
        for (int slot = 0; slot < SLOTS; slot++) {
            long at = 4L * slot * state.width();
            if (rows == null) {
                CachedRows.store(tensor, slot, floats, at);
            } else {
                rows.store(floats, at, state, slot);
            }
        }
        return state;
    }

    /** Numbers between -1 and 1 that look like chance. */
    private static MemorySegment floats(Arena arena, int count, int seed) {
        MemorySegment floats = arena.allocate(4L * count, 64);
        int state = seed;
        for (int i = 0; i < count; i++) {
            state = state * 1664525 + 1013904223;
            floats.setAtIndex(JAVA_FLOAT, i, (state >> 8) * 0x1p-23f);
        }
        return floats;
    }
}
