package org.maniple.kernel.load;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.checkpoint.StoredTensor;
import org.maniple.api.tensor.DType;

/** The tensors of a checkpoint as weights are made of them: as they are stored, or converted when they are read. Safe for use by several threads. */
final class WeightSource {

    private final Checkpoint checkpoint;
    private final Quantization quantization;
    private final Map<String, Optional<ConvertedTensor>> converted = new ConcurrentHashMap<>();

    WeightSource(Checkpoint checkpoint, Quantization quantization) {
        this.checkpoint = checkpoint;
        this.quantization = quantization;
    }

    /**
     * A tensor's header.
     *
     * @throws CheckpointException if it is stored in several tensors that do not fit each other
     */
    Optional<StoredTensor> tensor(String name) {
        Optional<ConvertedTensor> found = converted(name);
        return found.isPresent() ? found.map(ConvertedTensor::seen) : checkpoint.tensor(name);
    }

    /** What the name of the tensor with the factors of an FP8 weight has after the name of the weight. */
    String factors() {
        return quantization.factors();
    }

    /** How a tensor is converted; empty if it is as it is stored. */
    Optional<ConvertedTensor> converted(String name) {
        return converted.computeIfAbsent(name, this::find);
    }

    private Optional<ConvertedTensor> find(String name) {
        if (quantization.integers().isPresent()) {
            return IntegerTensor.find(checkpoint, quantization.integers().get(), name);
        }
        DType type = quantization.conversions().get(name);
        return type == null
                ? Optional.empty()
                : checkpoint.tensor(name)
                        .filter(stored -> EncodedTensor.FLOATS.contains(stored.dtype()) && !stored.shape().isEmpty()
                                && stored.shape().getLast() % type.blockElements() == 0)
                        .map(stored -> new EncodedTensor(checkpoint, stored, type));
    }

    /** Some bytes of a tensor, mapped or converted, for as long as an arena lives. */
    MemorySegment map(String name, long offset, long length, Arena arena) {
        Optional<ConvertedTensor> found = converted(name);
        if (found.isEmpty()) {
            return checkpoint.map(name, offset, length, arena);
        }
        MemorySegment target = arena.allocate(length, 64);
        try (Arena window = Arena.ofConfined()) {
            found.get().open(window).read(offset, length, target, 0);
        }
        return target;
    }
}
