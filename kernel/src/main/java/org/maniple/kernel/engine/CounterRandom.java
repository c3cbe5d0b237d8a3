package org.maniple.kernel.engine;

/**
 * Random bits that are a function of (seed, position, token id) instead of a state: the same for every batch, order and layout. For
 * a seed and a position it is the sequence of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014)
 * indexed by the token id.
 */
final class CounterRandom {

    private static final long GAMMA = 0x9E3779B97F4A7C15L;
    private static final double UNIT = 0x1p-53;

    private CounterRandom() {}

    /** What the bits of all tokens at a position of a request begin from. */
    static long key(long seed, long position) {
        return mix(mix(seed + GAMMA) + (position + 1) * GAMMA);
    }

    static long bits(long key, int token) {
        return mix(key + (token + 1) * GAMMA);
    }

    /** An exponentially distributed number; at least {@code 2^-(numberOfLeadingZeros(bits) + 1)}, as -ln(1-v) is at least v. */
    static double exponential(long bits) {
        double v = ((bits >>> 11) + 0.5) * UNIT;
        return -StrictMath.log1p(-v);
    }

    private static long mix(long value) {
        long z = (value ^ value >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return z ^ z >>> 31;
    }
}
