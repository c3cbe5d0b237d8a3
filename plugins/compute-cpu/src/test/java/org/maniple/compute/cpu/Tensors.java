package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
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
            default -> throw new IllegalArgumentException(tensor.toString());
        };
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
