package org.maniple.kernel.engine;

/** A deterministic "language model": the logits depend on every token so far and on nothing else. */
final class HashModel {

    static final int VOCABULARY = 64;

    private HashModel() {}

    static float[] logits(int[] tokens, int length) {
        long state = 42;
        for (int i = 0; i < length; i++) {
            state = (state ^ tokens[i] + 1) * 0x9E3779B97F4A7C15L;
            state ^= state >>> 29;
        }
        float[] logits = new float[VOCABULARY];
        for (int token = 0; token < VOCABULARY; token++) {
            long bits = (state + token) * 0xBF58476D1CE4E5B9L;
            bits = (bits ^ bits >>> 32) * 0x94D049BB133111EBL;
            logits[token] = (float) (bits >>> 40) / (1 << 24) * 8 - 4;
        }
        return logits;
    }
}
