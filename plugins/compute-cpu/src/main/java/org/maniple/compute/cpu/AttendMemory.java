package org.maniple.compute.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * What attention needs beside its operands. All layers of a session share it, since one runs after the other. Memory is reserved by the
 * rank's own thread, while nothing is computed.
 */
final class AttendMemory {

    /** Bytes for the results of chunks at most; what does not fit is not cut. */
    static final long LIMIT = 64L << 20;

    private final AttendChunk[] chunks;
    private final Optional<NativeFunctions> found;
    private final boolean rounds;
    private MemorySegment results = MemorySegment.NULL;

    /**
     * For the threads of a session.
     *
     * @param found what is to be used instead of the Vector API
     * @param rounds whether queries and weights may be rounded to 16 bits
     */
    AttendMemory(Scratch[] scratch, Optional<NativeFunctions> found, boolean rounds) {
        this.chunks = AttendChunk.of(scratch);
        this.found = found;
        this.rounds = rounds;
    }

    /** What computes chunks with keys, and turned keys, of some elements that are held in a form. */
    Attention attention(CacheForm form, int keyLength, int turnedLength) {
        Optional<NativeAttention> tiles = found.flatMap(NativeFunctions::tiles).filter(any -> rounds && form != CacheForm.F32);
        return tiles.or(() -> found.filter(functions -> functions.forms().contains(form)).map(NativeFunctions::attention))
                .<Attention>map(attention -> attention)
                .orElseGet(() -> new VectorAttention(keyLength, turnedLength));
    }

    AttendChunk chunk(int thread) {
        return chunks[thread];
    }

    /** Makes room for sums of values, in the chunk of each thread. */
    void reserve(int valueLength, boolean turned) {
        for (AttendChunk chunk : chunks) {
            chunk.reserve(valueLength, turned);
        }
    }

    /** Makes room for cached keys, turned keys and values as they are multiplied, in the chunk of each thread. */
    void reservePanels(int keys, int turned, int values) {
        for (AttendChunk chunk : chunks) {
            chunk.reservePanel(keys, turned, values);
        }
    }

    /** Makes room for the results of chunks. Sequences grow, and seldom reach the next power of two. */
    void reserveResults(long bytes) {
        if (results.byteSize() < bytes) {
            results = Arena.ofAuto().allocate(Math.max(1L << 16, Long.highestOneBit(bytes - 1) << 1), 64);
        }
    }

    MemorySegment results() {
        return results;
    }
}
