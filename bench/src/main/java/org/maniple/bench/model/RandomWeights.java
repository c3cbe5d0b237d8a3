package org.maniple.bench.model;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;

/**
 * Random contents of tensors. Elements have a deviation of one over the root of their number in a row, so that activations neither
 * vanish nor overflow; integers of blocks are uniform, those of other types are drawn from 65 536 normal values.
 */
final class RandomWeights {

    private static final int VALUES = 1 << 16;

    private final long seed;
    private final float[] normal;

    RandomWeights(long seed) {
        this.seed = seed;
        this.normal = normal(new SplittableRandom(seed));
    }

    private static float[] normal(SplittableRandom random) {
        float[] values = new float[VALUES];
        for (int i = 0; i < VALUES; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /**
     * Fills a buffer with whole blocks.
     *
     * @param buffer little-endian
     * @param type of the elements
     * @param weight whose elements they are
     * @param part which part of it, so that parts differ
     */
    void fill(ByteBuffer buffer, StoredType type, Weight weight, long part) {
        var random = new SplittableRandom(seed ^ (weight.gguf().hashCode() * 0x9e3779b97f4a7c15L) ^ part << 32);
        double deviation = 1 / Math.sqrt(weight.columns());
        switch (weight.role()) {
            case NORM -> constant(buffer, type);
            case ROPE -> constant(buffer, type);
            default -> {
                switch (type) {
                    case F32, F16, BF16 -> floats(buffer, type, random, deviation);
                    default -> blocks(buffer, type, random, deviation);
                }
            }
        }
    }

    private static void constant(ByteBuffer buffer, StoredType type) {
        while (buffer.hasRemaining()) {
            put(buffer, type, 1);
        }
    }

    private void floats(ByteBuffer buffer, StoredType type, SplittableRandom random, double deviation) {
        var scaled = ByteBuffer.allocate(VALUES * type.blockBytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : normal) {
            put(scaled, type, (float) (value * deviation));
        }
        if (type == StoredType.F32) {
            while (buffer.remaining() >= 4) {
                buffer.putInt(scaled.getInt(4 * (random.nextInt() & VALUES - 1)));
            }
            return;
        }
        while (buffer.remaining() >= 8) {
            long four = random.nextLong();
            long bits = 0;
            for (int i = 0; i < 4; i++) {
                bits |= (scaled.getShort(2 * (int) (four >>> 16 * i & VALUES - 1)) & 0xffffL) << 16 * i;
            }
            buffer.putLong(bits);
        }
        while (buffer.hasRemaining()) {
            buffer.putShort(scaled.getShort(2 * (random.nextInt() & VALUES - 1)));
        }
    }

    private static void put(ByteBuffer buffer, StoredType type, float value) {
        switch (type) {
            case F32 -> buffer.putFloat(value);
            case F16 -> buffer.putShort(Float.floatToFloat16(value));
            case BF16 -> buffer.putShort((short) (Float.floatToIntBits(value) >>> 16));
            default -> throw new IllegalArgumentException(type + " has blocks");
        }
    }

    private static void blocks(ByteBuffer buffer, StoredType type, SplittableRandom random, double deviation) {
        int from = buffer.position();
        while (buffer.remaining() >= 8) {
            buffer.putLong(random.nextLong());
        }
        while (buffer.hasRemaining()) {
            buffer.put((byte) random.nextInt());
        }
        for (int at = from; at < buffer.limit(); at += type.blockBytes()) {
            // Quantised weights have scales that differ by some factor, too.
            float scale = type.scale(deviation) * (0.5f + (float) random.nextDouble());
            scales(buffer, type, at, scale);
        }
    }

    private static void scales(ByteBuffer buffer, StoredType type, int at, float scale) {
        switch (type) {
            case Q4_0, Q5_0 -> half(buffer, at, scale);
            case Q8_0 -> {
                half(buffer, at, scale);
                lift(buffer, at + 2, 32);
            }
            case Q4_1 -> {
                half(buffer, at, scale);
                half(buffer, at + 2, -7.5f * scale);
            }
            case Q5_1 -> {
                half(buffer, at, scale);
                half(buffer, at + 2, -15.5f * scale);
            }
            case Q4_K -> {
                half(buffer, at, scale);
                half(buffer, at + 2, 7.5f * scale);
            }
            case Q6_K -> {
                lift(buffer, at + 192, 16);
                half(buffer, at + 208, scale);
            }
            default -> throw new IllegalArgumentException(type + " has no scales");
        }
    }

    private static void half(ByteBuffer buffer, int at, float value) {
        buffer.putShort(at, Float.floatToFloat16(value));
    }

    /** Quantisers never write -128. */
    private static void lift(ByteBuffer buffer, int at, int count) {
        for (int i = at; i < at + count; i++) {
            if (buffer.get(i) == Byte.MIN_VALUE) {
                buffer.put(i, (byte) (Byte.MIN_VALUE + 1));
            }
        }
    }
}
