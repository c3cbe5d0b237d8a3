package org.maniple.kernel.load;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.checkpoint.StoredTensor;
import org.maniple.api.tensor.DType;

/** A checkpoint in memory: element i of a tensor has the value i, unless its bytes are given. Counts the bytes that are asked for. */
final class MemoryCheckpoint implements Checkpoint {

    private final Map<String, StoredTensor> tensors = new HashMap<>();
    private final Map<String, MemorySegment> data = new HashMap<>();
    long touched;

    MemoryCheckpoint with(String name, long... shape) {
        long elements = java.util.Arrays.stream(shape).reduce(1, Math::multiplyExact);
        MemorySegment segment = Arena.ofAuto().allocate(elements * 4, 64);
        for (int i = 0; i < elements; i++) {
            segment.setAtIndex(JAVA_FLOAT, i, i);
        }
        tensors.put(name,
                new StoredTensor(name, DType.F32, java.util.Arrays.stream(shape).boxed().toList(), "memory", elements * 4));
        data.put(name, segment);
        return this;
    }

    /** A tensor of any type with these bytes. */
    MemoryCheckpoint with(String name, DType dtype, byte[] bytes, long... shape) {
        MemorySegment segment = Arena.ofAuto().allocate(bytes.length, 64);
        segment.copyFrom(MemorySegment.ofArray(bytes));
        tensors.put(name, new StoredTensor(name, dtype, java.util.Arrays.stream(shape).boxed().toList(), "memory", bytes.length));
        data.put(name, segment);
        return this;
    }

    @Override
    public Set<String> names() {
        return Set.copyOf(tensors.keySet());
    }

    @Override
    public Optional<StoredTensor> tensor(String name) {
        return Optional.ofNullable(tensors.get(name));
    }

    @Override
    public MemorySegment map(String name, long offset, long length, Arena arena) {
        MemorySegment segment = data.get(name);
        if (segment == null) {
            throw new CheckpointException("no tensor " + name);
        }
        touched += length;
        return segment.asSlice(offset, length).asReadOnly();
    }

    @Override
    public Map<String, String> fingerprint(Checksum checksum) {
        return Map.of();
    }

    @Override
    public List<Path> files() {
        return List.of();
    }

    @Override
    public void close() {
        // nothing is open
    }
}
