package org.maniple.checkpoint.gguf;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.checkpoint.StoredTensor;

/** Open files, and where in them the tensors are that models know. */
final class GgufCheckpoint implements Checkpoint {

    private final GgufModel model;
    private final Map<String, TensorPart> parts;

    /**
     * Takes over open files.
     *
     * @param parts the tensors by the names that models have for them
     */
    GgufCheckpoint(GgufModel model, Map<String, TensorPart> parts) {
        this.model = model;
        this.parts = parts;
    }

    @Override
    public Set<String> names() {
        return Collections.unmodifiableSet(parts.keySet());
    }

    @Override
    public Optional<StoredTensor> tensor(String name) {
        return Optional.ofNullable(parts.get(name)).map(part -> part.stored(name));
    }

    @Override
    public MemorySegment map(String name, long offset, long length, Arena arena) {
        TensorPart part = parts.get(name);
        if (part == null) {
            throw new CheckpointException(model.metadata().file() + ": has no tensor for [" + Shown.name(name) + "] among its "
                    + model.tensors().size());
        }
        if (offset < 0 || length < 0 || length > part.bytes() - offset) {
            throw new CheckpointException(part.placed().file().path() + ": tensor [" + Shown.name(name) + "] has " + part.bytes()
                    + " bytes; " + length + " from " + offset + " on are not within");
        }
        return part.placed().file().map(part.placed().tensor().position() + part.offset() + offset, length, arena);
    }

    @Override
    public Map<String, String> fingerprint(Checksum checksum) {
        var texts = new TreeMap<String, String>();
        for (GgufFile file : model.files()) {
            texts.put(file.path().getFileName().toString(), file.fingerprint(checksum));
        }
        return Collections.unmodifiableMap(texts);
    }

    @Override
    public List<Path> files() {
        return model.files().stream().map(GgufFile::path).toList();
    }

    @Override
    public void close() {
        model.close();
    }
}
