package org.maniple.it;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.checkpoint.StoredTensor;
import org.maniple.api.tensor.DType;

/** Reads tensors of F32 or BF16. */
final class StoredFloats {

    private StoredFloats() {}

    static float[] read(Checkpoint checkpoint, StoredTensor tensor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = checkpoint.map(tensor.name(), 0, tensor.bytes(), arena);
            float[] elements = new float[(int) (tensor.bytes() / tensor.dtype().bytes())];
            for (int i = 0; i < elements.length; i++) {
                elements[i] = tensor.dtype() == DType.F32
                        ? memory.get(JAVA_FLOAT_UNALIGNED, 4L * i)
                        : Float.intBitsToFloat(memory.get(JAVA_SHORT_UNALIGNED, 2L * i) << 16);
            }
            return elements;
        }
    }
}
