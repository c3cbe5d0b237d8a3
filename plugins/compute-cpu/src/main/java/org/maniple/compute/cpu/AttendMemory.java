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
    private final Optional<NativeAttention> found;
    private MemorySegment results = MemorySegment.NULL;

    /**
     * For the threads of a session.
     *
     * @param found what is to be used instead of the Vector API
     */
    AttendMemory(Scratch[] scratch, Optional<NativeAttention> found) {
        this.chunks = AttendChunk.of(scratch);
        this.found = found;
    }

    /** What computes chunks with keys, and turned keys, of some elements. */
    Attention attention(int keyLength, int turnedLength) {
        return found.<Attention>map(a -> a).orElseGet(() -> new VectorAttention(keyLength, turnedLength));
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
