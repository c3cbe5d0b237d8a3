package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.maniple.api.tensor.BlockScales;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;

/** Makes and reads tensors. */
final class Tensors {

    private Tensors() {}

    static Tensor zeros(int... shape) {
        return Tensor.of(DType.F32, shape, memory(DType.F32, shape, 0));
    }

    /** Random numbers around zero. */
    static Tensor random(long seed, int... shape) {
        return random(seed, DType.F32, 0, shape);
    }

    /** FP8 weights with factors, for blocks that end at some elements of a row; each row has factors of its own. */
    static Tensor scaled(long seed, int[] shape, Integer... blockEnds) {
        Tensor weights = random(seed, DType.F8_E4M3, 1, shape);
        int[] factors = shape.clone();
        factors[shape.length - 1] = blockEnds.length;
        return weights.scaled(new BlockScales(List.of(blockEnds), random(seed + 1, factors)));
    }

    /** The same numbers with memory of its own for each index of the first dimension. */
    static Tensor stacked(Tensor tensor) {
        int[] shape = shape(tensor);
        long bytes = (long) tensor.width() * tensor.dtype().bytes();
        var slots = new ArrayList<MemorySegment>();
        for (int slot = 0; slot < shape[0]; slot++) {
            slots.add(Arena.ofAuto().allocate(bytes + 1, 64).asSlice(1).copyFrom(tensor.segment().asSlice(slot * bytes, bytes)));
        }
        Tensor stacked = Tensor.stacked(tensor.dtype(), shape, slots);
        return tensor.scales()
                .map(scales -> stacked.scaled(new BlockScales(scales.ends(), stacked(scales.factors())))).orElse(stacked);
    }

    static int[] shape(Tensor tensor) {
        int[] shape = new int[tensor.rank()];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = tensor.extent(i);
        }
        return shape;
    }

    /** A weight with its factor, of a tensor that is not stacked; rows are counted over all slots. */
    static double weight(Tensor tensor, long row, int element) {
        int length = tensor.extent(tensor.rank() - 1);
        double stored = get(tensor, row * length + element);
        if (tensor.scales().isEmpty()) {
            return stored;
        }
        List<Integer> ends = tensor.scales().get().ends();
        int block = 0;
        while (ends.get(block) <= element) {
            block++;
        }
        return stored * get(tensor.scales().get().factors(), row * ends.size() + block);
    }

    /** Random numbers at an address that is off by some bytes, in memory that cannot be written, like a mapped file. */
    static Tensor random(long seed, DType type, int misalignment, int... shape) {
        MemorySegment memory = memory(type, shape, misalignment);
        var random = new Random(seed);
        for (long i = 0; i < memory.byteSize() / type.bytes(); i++) {
            float value = (float) random.nextGaussian();
            switch (type) {
                case F32 -> memory.set(JAVA_FLOAT_UNALIGNED, 4 * i, value);
                case F16 -> memory.set(JAVA_SHORT_UNALIGNED, 2 * i, Float.floatToFloat16(value));
                case BF16 -> memory.set(JAVA_SHORT_UNALIGNED, 2 * i, (short) (Float.floatToRawIntBits(value) >>> 16));
                case F8_E4M3 -> memory.set(JAVA_BYTE, i, (byte) (random.nextInt(127) | random.nextInt(2) << 7));
                default -> throw new IllegalArgumentException(type.toString());
            }
        }
        return Tensor.of(type, shape, misalignment == 0 ? memory : memory.asReadOnly());
    }

    static Tensor ids(int... ids) {
        MemorySegment memory = memory(DType.I32, new int[] {ids.length}, 0);
        for (int i = 0; i < ids.length; i++) {
            memory.set(JAVA_INT_UNALIGNED, 4L * i, ids[i]);
        }
        return Tensor.of(DType.I32, new int[] {ids.length}, memory);
    }

    static Tensor of(float... values) {
        return of(new int[] {values.length}, values);
    }

    static Tensor of(int[] shape, float... values) {
        Tensor tensor = zeros(shape);
        MemorySegment.copy(values, 0, tensor.segment(), JAVA_FLOAT_UNALIGNED, 0, values.length);
        return tensor;
    }

    private static MemorySegment memory(DType type, int[] shape, int misalignment) {
        long elements = 1;
        for (int extent : shape) {
            elements *= extent;
        }
        return Arena.ofAuto().allocate(elements * type.bytes() + misalignment, 64).asSlice(misalignment);
    }

    static double get(Tensor tensor, long index) {
        MemorySegment memory = tensor.segment();
        return switch (tensor.dtype()) {
            case F32 -> memory.get(JAVA_FLOAT_UNALIGNED, 4 * index);
            case F16 -> Float.float16ToFloat(memory.get(JAVA_SHORT_UNALIGNED, 2 * index));
            case BF16 -> Float.intBitsToFloat(memory.get(JAVA_SHORT_UNALIGNED, 2 * index) << 16);
            case F8_E4M3 -> e4m3(memory.get(JAVA_BYTE, index));
            default -> throw new IllegalArgumentException(tensor.toString());
        };
    }

    private static double e4m3(byte bits) {
        int exponent = bits >> 3 & 15;
        int mantissa = bits & 7;
        double size = exponent == 0 ? mantissa / 512.0 : (8 + mantissa) * Math.pow(2, exponent - 10);
        return bits < 0 ? -size : size;
    }

    /** A row of floats. */
    static float[] row(Tensor tensor, int row) {
        float[] values = new float[tensor.width()];
        MemorySegment.copy(tensor.segment(), JAVA_FLOAT_UNALIGNED, 4L * row * tensor.width(), values, 0, values.length);
        return values;
    }

    /** All rows in use. */
    static float[] all(Tensor tensor) {
        float[] values = new float[tensor.rows() * tensor.width()];
        MemorySegment.copy(tensor.segment(), JAVA_FLOAT_UNALIGNED, 0, values, 0, values.length);
        return values;
    }
}
