package org.maniple.checkpoint.safetensors;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.checkpoint.StoredTensor;

/**
 * A checkpoint of a model that was saved without its head, as those for embeddings are: the names of its tensors lack their beginning. Here they have
 * it; the embedding stands in for the head, which such a model is never asked for in earnest.
 */
final class HeadlessCheckpoint implements Checkpoint {

    private static final String BEGINNING = "model.";
    private static final String EMBEDDING = "embed_tokens.weight";
    private static final String HEAD = "lm_head.weight";

    private final Checkpoint stored;

    private HeadlessCheckpoint(Checkpoint stored) {
        this.stored = stored;
    }

    /** The checkpoint, under the names that whole models have. */
    static Checkpoint named(Checkpoint checkpoint) {
        Set<String> names = checkpoint.names();
        return names.contains(EMBEDDING) && !names.contains(BEGINNING + EMBEDDING)
                ? new HeadlessCheckpoint(checkpoint)
                : checkpoint;
    }

    private String own(String name) {
        if (name.equals(HEAD)) {
            return stored.names().contains(HEAD) ? HEAD : EMBEDDING;
        }
        return name.startsWith(BEGINNING) ? name.substring(BEGINNING.length()) : BEGINNING + name;
    }

    @Override
    public Set<String> names() {
        return Stream
                .concat(Stream.of(HEAD), stored.names().stream().filter(name -> !name.equals(HEAD)).map(name -> BEGINNING + name))
                .collect(Collectors.toUnmodifiableSet());
    }

    @Override
    public Optional<StoredTensor> tensor(String name) {
        return stored.tensor(own(name))
                .map(tensor -> new StoredTensor(name, tensor.dtype(), tensor.shape(), tensor.file(), tensor.bytes()));
    }

    @Override
    public MemorySegment map(String name, long offset, long length, Arena arena) {
        return stored.map(own(name), offset, length, arena);
    }

    @Override
    public Map<String, String> fingerprint(Checksum checksum) {
        return stored.fingerprint(checksum);
    }

    @Override
    public List<Path> files() {
        return stored.files();
    }

    @Override
    public void close() {
        stored.close();
    }
}
