package org.maniple.compute.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** What a thread of a session needs for itself, whatever it computes. */
final class Scratch {

    private final float[] lanes = new float[Lanes.SCRATCH];
    private MemorySegment panel = Arena.ofAuto().allocate(64, 64);
    private float[] floats = new float[0];

    /** The scratch memory of some threads. */
    static Scratch[] of(int threads) {
        var all = new Scratch[threads];
        for (int i = 0; i < threads; i++) {
            all[i] = new Scratch();
        }
        return all;
    }

    /** Partial sums: {@link Lanes#SCRATCH} floats. */
    float[] lanes() {
        return lanes;
    }

    /** Rows of weights as floats. Contents last for one call. */
    MemorySegment panel() {
        return panel;
    }

    /** What a product needs beside the panel. Contents last for one call. */
    float[] floats() {
        return floats;
    }

    /** Makes the panel have room for some bytes, and for some floats beside it; only while nothing is computed. */
    void reserve(long bytes, int beside) {
        if (floats.length < beside) {
            floats = new float[beside];
        }
        if (panel.byteSize() < bytes) {
            panel = Arena.ofAuto().allocate(bytes, 64);
        }
    }
}
