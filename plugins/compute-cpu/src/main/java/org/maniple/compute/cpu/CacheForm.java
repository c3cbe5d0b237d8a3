package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.LongFunction;
import org.maniple.api.tensor.BlockScales;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;

/**
 * What the elements of a state are held as ({@link org.maniple.api.tensor.CachedRows}). Whatever it is, attention computes with floats: a row is made floats
 * before it is multiplied.
 */
enum CacheForm {
    /** Floats. */
    F32(4),
    /** The upper halves of floats. */
    BF16(2),
    /** Signed bytes, with a factor for each position and head. */
    INT8(1);

    private static final Bf16Rows HALVES = new Bf16Rows();

    private final int bytes;

    CacheForm(int bytes) {
        this.bytes = bytes;
    }

    /** The form of a state; empty if there are no kernels for it. */
    static Optional<CacheForm> of(Tensor state) {
        return switch (state.dtype()) {
            case F32 -> Optional.of(F32);
            case BF16 -> Optional.of(BF16);
            case I8 -> state.scales().map(scales -> INT8);
            default -> Optional.empty();
        };
    }

    /**
     * A state.
     *
     * @param shape positions, then the shape of each; the last dimension is the elements of a head
     * @param memory gives memory of some bytes
     */
    Tensor tensor(int[] shape, LongFunction<MemorySegment> memory) {
        long heads = Arrays.stream(shape, 0, shape.length - 1).asLongStream().reduce(1, Math::multiplyExact);
        int length = shape[shape.length - 1];
        DType dtype = switch (this) {
            case F32 -> DType.F32;
            case BF16 -> DType.BF16;
            case INT8 -> DType.I8;
        };
        Tensor tensor = Tensor.of(dtype, shape, memory.apply(bytes * heads * length));
        if (this != INT8) {
            return tensor;
        }
        int[] ofFactors = Arrays.copyOf(shape, shape.length - 1);
        return tensor.scaled(new BlockScales(List.of(length), Tensor.of(DType.F32, ofFactors, memory.apply(4 * heads))));
    }

    /** The word in a configuration. */
    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Bytes of an element. */
    int bytes() {
        return bytes;
    }

    /**
     * Writes elements as floats. Offsets are in bytes.
     *
     * @param factor what each is multiplied by, if it is of {@link #INT8}
     */
    void widen(MemorySegment rows, long at, float factor, MemorySegment out, long to, int count) {
        switch (this) {
            case F32 -> MemorySegment.copy(rows, at, out, to, 4L * count);
            case BF16 -> HALVES.widen(rows, at, out, to, count);
            case INT8 -> bytes(rows, at, factor, out, to, count);
        }
    }

    private static void bytes(MemorySegment rows, long at, float factor, MemorySegment out, long to, int count) {
        for (int i = 0; i < count; i++) {
            out.set(JAVA_FLOAT_UNALIGNED, to + 4L * i, rows.get(JAVA_BYTE, at + i) * factor);
        }
    }
}
