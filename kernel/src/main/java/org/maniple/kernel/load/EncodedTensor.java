package org.maniple.kernel.load;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.Set;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.checkpoint.StoredTensor;
import org.maniple.api.tensor.BlockEncoder;
import org.maniple.api.tensor.DType;

/** A weight of floats that becomes blocks. A block depends on its own elements alone, so that every rank makes the same ones. */
final class EncodedTensor implements ConvertedTensor {

    /** The types that can be encoded. */
    static final Set<DType> FLOATS = EnumSet.of(DType.F32, DType.F16, DType.BF16);
    /** Elements that are made floats at once. */
    private static final int CHUNK = 1024;

    private final Checkpoint checkpoint;
    private final StoredTensor stored;
    private final StoredTensor seen;
    private final BlockEncoder encoder;

    /**
     * A weight.
     *
     * @param stored one of {@link #FLOATS}, whose last extent is whole blocks
     * @param type a block type that has an encoder
     */
    EncodedTensor(Checkpoint checkpoint, StoredTensor stored, DType type) {
        this.checkpoint = checkpoint;
        this.stored = stored;
        this.encoder = BlockEncoder.of(type).orElseThrow();
        long elements = stored.bytes() / stored.dtype().bytes();
        this.seen = new StoredTensor(stored.name(), type, stored.shape(), stored.file(), type.bytes(elements));
    }

    @Override
    public StoredTensor seen() {
        return seen;
    }

    @Override
    public Reader open(Arena arena) {
        MemorySegment source = checkpoint.map(stored.name(), 0, stored.bytes(), arena);
        MemorySegment floats = arena.allocate((long) CHUNK * Float.BYTES, 64);
        DType type = seen.dtype();
        return (offset, length, target, to) -> {
            long first = offset / type.blockBytes() * type.blockElements();
            long count = length / type.blockBytes() * type.blockElements();
            for (long done = 0; done < count; done += CHUNK) {
                int taken = (int) Math.min(CHUNK, count - done);
                widen(source, first + done, taken, floats);
                encoder.encode(floats, 0, target, to + type.bytes(done), taken);
            }
        };
    }

    private void widen(MemorySegment source, long first, int count, MemorySegment floats) {
        switch (stored.dtype()) {
            case F32 -> MemorySegment.copy(source, 4 * first, floats, 0, 4L * count);
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    floats.set(JAVA_FLOAT_UNALIGNED, 4L * i,
                            Float.intBitsToFloat(source.get(JAVA_SHORT_UNALIGNED, 2 * (first + i)) << 16));
                }
            }
            default -> {
                for (int i = 0; i < count; i++) {
                    floats.set(JAVA_FLOAT_UNALIGNED, 4L * i,
                            Float.float16ToFloat(source.get(JAVA_SHORT_UNALIGNED, 2 * (first + i))));
                }
            }
        }
    }
}
