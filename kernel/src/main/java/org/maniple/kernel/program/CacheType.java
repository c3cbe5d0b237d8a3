package org.maniple.kernel.program;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.LongFunction;
import org.maniple.api.tensor.BlockScales;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;

/**
 * What the elements of states are held as. Rounding happens when a row is stored, position by position and head by head, so that what a query sees
 * depends neither on the layout nor on how its prompt was cut.
 */
public enum CacheType {
    /** As they were computed. */
    F32(DType.F32, "f32", "auto", "float32"),
    /** Rounded to the nearest BF16. */
    BF16(DType.BF16, "bf16", "bfloat16"),
    /** Signed bytes with a factor for each position and head: its greatest size becomes 127. */
    INT8(DType.I8, "int8");

    private final DType dtype;
    /** Its own one first, with spaces between. */
    private final String words;

    CacheType(DType dtype, String... words) {
        this.dtype = dtype;
        this.words = String.join(" ", words);
    }

    /**
     * What a word of the configuration means.
     *
     * @param word a value of {@code kv-cache-dtype}
     * @return the type; {@code auto} is {@link #F32}
     * @throws IllegalArgumentException if it is none
     */
    public static CacheType of(String word) {
        return Arrays.stream(values()).filter(type -> List.of(type.words.split(" ", -1)).contains(word)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("kv-cache-dtype: " + word));
    }

    /**
     * The word for it.
     *
     * @return as the configuration has it
     */
    public String word() {
        return words.split(" ", 2)[0];
    }

    /**
     * What elements take, with their factors.
     *
     * @param heads rows of elements with a factor each
     * @param elements in all
     * @return bytes
     */
    public long bytes(long heads, long elements) {
        return Math.addExact(Math.multiplyExact(elements, (long) dtype.bytes()), scaled() ? Math.multiplyExact(heads, 4L) : 0);
    }

    private boolean scaled() {
        return this == INT8;
    }

    /**
     * A state.
     *
     * @param shape positions, then the shape of each; the last dimension is the elements of a head
     * @param memory gives zeroed memory of some bytes
     * @return its tensor
     */
    public Tensor tensor(int[] shape, LongFunction<MemorySegment> memory) {
        long heads = Arrays.stream(shape, 0, shape.length - 1).asLongStream().reduce(1, Math::multiplyExact);
        int elements = shape[shape.length - 1];
        Tensor tensor = Tensor.of(dtype, shape, memory.apply(Math.multiplyExact(heads * elements, (long) dtype.bytes())));
        return factors(shape, heads, memory).map(factors -> tensor.scaled(new BlockScales(List.of(elements), factors)))
                .orElse(tensor);
    }

    private Optional<Tensor> factors(int[] shape, long heads, LongFunction<MemorySegment> memory) {
        return scaled()
                ? Optional.of(
                        Tensor.of(DType.F32, Arrays.copyOf(shape, shape.length - 1), memory.apply(Math.multiplyExact(heads, 4L))))
                : Optional.empty();
    }
}
