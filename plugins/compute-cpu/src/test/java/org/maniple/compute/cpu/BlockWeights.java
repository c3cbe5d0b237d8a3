package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.maniple.api.tensor.BlockCodec;
import org.maniple.api.tensor.BlockRows;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;

/** Makes weights of block types, and multiplies with them as {@link ActivationForm#INT8} says, one element after the other. */
final class BlockWeights {

    private static final int BLOCK = 32;

    private BlockWeights() {}

    /** Random blocks whose scales are numbers of ordinary size; off by a byte, in memory that cannot be written. */
    static Tensor random(long seed, DType type, BlockRows rows, int... shape) {
        int count = 1;
        for (int extent : shape) {
            count *= extent;
        }
        count /= rows.columns();
        MemorySegment memory = blocks(new Random(seed), type, (long) count * rows.held() / type.blockElements());
        return Tensor.blocked(type, shape, rows, memory.asReadOnly());
    }

    /** The same with memory of its own for each slot. */
    static Tensor stacked(long seed, DType type, BlockRows rows, int... shape) {
        int count = 1;
        for (int i = 1; i < shape.length; i++) {
            count *= shape[i];
        }
        count /= rows.columns();
        var random = new Random(seed);
        var slots = new ArrayList<MemorySegment>();
        for (int slot = 0; slot < shape[0]; slot++) {
            slots.add(blocks(random, type, (long) count * rows.held() / type.blockElements()));
        }
        return Tensor.stacked(type, shape, rows, Optional.empty(), slots);
    }

    static MemorySegment blocks(Random random, DType type, long blocks) {
        byte[] bytes = new byte[Math.toIntExact(blocks * type.blockBytes())];
        random.nextBytes(bytes);
        MemorySegment memory = Arena.ofAuto().allocate(bytes.length + 1L, 64).asSlice(1);
        MemorySegment.copy(bytes, 0, memory, JAVA_BYTE, 0, bytes.length);
        for (long block = 0; block < blocks; block++) {
            long at = block * type.blockBytes();
            for (int half : halves(type)) {
                memory.set(JAVA_SHORT_UNALIGNED, at + half, Float.floatToFloat16((float) random.nextGaussian() / 16));
            }
            if (type == DType.MXFP4) {
                memory.set(JAVA_BYTE, at, (byte) (120 + random.nextInt(10)));
            }
        }
        return memory;
    }

    /** Whether a byte of a block is part of an F16 number, or of an exponent. */
    static boolean isScale(DType type, int at) {
        for (int half : halves(type)) {
            if (at == half || at == half + 1) {
                return true;
            }
        }
        return type == DType.MXFP4 && at == 0;
    }

    /** Where the F16 numbers of a block are. */
    private static int[] halves(DType type) {
        return switch (type) {
            case Q8_0, Q4_0, Q5_0, IQ4_NL -> new int[] {0};
            case Q4_1, Q5_1, Q4_K, Q5_K -> new int[] {0, 2};
            case Q2_K -> new int[] {80, 82};
            case Q3_K -> new int[] {108};
            case Q6_K -> new int[] {208};
            default -> new int[0];
        };
    }

    /** Rows of one leaf, or of several, that hold nothing but their own elements. */
    static float[] product(Tensor weight, int slot, Tensor x, int xRow, int... leafEnds) {
        return product(weight, slot, x, xRow, BlockRows.whole(x.width()), leafEnds);
    }

    /** What a row of floats gives with all rows of a slot. */
    static float[] product(Tensor weight, int slot, Tensor x, int xRow, BlockRows rows, int... leafEnds) {
        DType type = weight.dtype();
        float[] held = new float[rows.held()];
        for (BlockRows.Run run : rows.runs()) {
            for (int i = 0; i < run.count(); i++) {
                held[run.held() + i] = (float) Tensors.get(x, (long) xRow * x.width() + run.from() + i);
            }
        }
        float[] scales = new float[rows.held() / BLOCK];
        int[] codes = quantize(held, scales);
        MemorySegment memory = weight.stacked() ? weight.slot(slot) : weight.segment();
        int count = Math.toIntExact(memory.byteSize() / type.bytes(rows.held()));
        float[] results = new float[count];
        for (int n = 0; n < count; n++) {
            var sums = new ArrayList<Float>();
            int from = 0;
            for (int end : leafEnds.length == 0 ? new int[] {rows.held()} : leafEnds) {
                sums.add(sum(type, memory, n * type.bytes(rows.held()), codes, scales, from, end));
                from = end;
            }
            results[n] = tree(sums);
        }
        return results;
    }

    private static float tree(List<Float> sums) {
        if (sums.size() == 1) {
            return sums.getFirst();
        }
        int half = sums.size() / 2;
        return tree(sums.subList(0, half)) + tree(sums.subList(half, sums.size()));
    }

    private static int[] quantize(float[] x, float[] scales) {
        int[] codes = new int[x.length];
        for (int block = 0; block < scales.length; block++) {
            float greatest = 0;
            for (int i = 0; i < BLOCK; i++) {
                greatest = Math.max(greatest, Math.abs(x[block * BLOCK + i]));
            }
            scales[block] = greatest / 127;
            for (int i = 0; i < BLOCK && scales[block] > 0; i++) {
                codes[block * BLOCK + i] = (int) Math.rint(x[block * BLOCK + i] * (1 / scales[block]));
            }
        }
        return codes;
    }

    /** The sum of a leaf. */
    private static float sum(DType type, MemorySegment w, long at, int[] codes, float[] scales, int from, int end) {
        BlockUnpacker unpacker = BlockUnpacker.of(type);
        int elements = type.blockElements();
        int run = unpacker.run();
        MemorySegment bytes = MemorySegment.ofArray(new byte[elements]);
        float[] factors = new float[2 * elements / run];
        float sum = 0;
        for (int i = from; i < end; i += run) {
            long block = at + i / elements * (long) type.blockBytes();
            unpacker.codes(w, block, 1, bytes, 0);
            unpacker.scales(w, block, 1, factors, 0, elements / run, 1);
            int products = 0;
            int total = 0;
            for (int j = i; j < i + run; j++) {
                products += bytes.get(JAVA_BYTE, j % elements) * codes[j];
                total += codes[j];
            }
            int number = i % elements / run;
            sum = Math.fma((float) products, factors[number] * scales[i / BLOCK], sum);
            if (unpacker.minima()) {
                sum = Math.fma((float) total, factors[elements / run + number] * scales[i / BLOCK], sum);
            }
        }
        return sum;
    }

    /** The elements of a row as the decoder of the type gives them. */
    static float[] decoded(DType type, MemorySegment memory, long at, int count) {
        MemorySegment floats = Arena.ofAuto().allocate(4L * count, 64);
        BlockCodec.of(type).decode(memory, at, floats, 0, count);
        return floats.toArray(JAVA_FLOAT_UNALIGNED.withOrder(java.nio.ByteOrder.nativeOrder()));
    }
}
