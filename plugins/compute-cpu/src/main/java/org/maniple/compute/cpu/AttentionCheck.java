package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Native attention has to give the bits of the Vector API on a small chunk before it is used. */
final class AttentionCheck {

    private static final int KEY = 40;
    private static final int TURNED = 17;
    private static final int VALUE = 83;
    private static final int ROWS = 3;
    private static final int HEADS = 3;
    private static final int SLOTS = 48;

    private AttentionCheck() {}

    /** Whether it computes the same bits. */
    static boolean agrees(NativeAttention attention) {
        var expected = new VectorAttention(KEY, TURNED);
        return results(attention, HEADS).mismatch(results(expected, HEADS)) < 0
                && results(attention, 1).mismatch(results(expected, 1)) < 0;
    }

    /** The results of heads some of which share a key-value head. */
    private static MemorySegment results(Attention attention, int shared) {
        Arena arena = Arena.ofAuto();
        var chunk = new AttendChunk(new float[Lanes.SCRATCH]);
        chunk.reserve(VALUE, true);
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
        chunk.keys.set(floats(arena, SLOTS * keyHeads * KEY, 3), 0, 4L * keyHeads * KEY, 0);
        chunk.turnedKeys.set(floats(arena, SLOTS * TURNED, 4), 0, 4L * TURNED, 0);
        chunk.values.set(floats(arena, SLOTS * keyHeads * VALUE, 5), 0, 4L * keyHeads * VALUE, 0);
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
            chunk.keys.at += 4L * KEY;
            chunk.values.at += 4L * VALUE;
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
