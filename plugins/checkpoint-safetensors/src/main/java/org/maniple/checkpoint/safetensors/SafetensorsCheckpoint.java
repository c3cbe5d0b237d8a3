package org.maniple.checkpoint.safetensors;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.checkpoint.StoredTensor;

/** Open files and which tensor is in which of them. */
final class SafetensorsCheckpoint implements Checkpoint {

    private final List<SafetensorsFile> files;
    private final Map<String, SafetensorsFile> fileOfTensor;
    private final List<Path> companions;

    /**
     * Takes over open files.
     *
     * @param files closed with this checkpoint
     * @param fileOfTensor for each tensor the file that has it
     * @param companions small files beside these that belong to the model: its configuration, the index
     */
    SafetensorsCheckpoint(List<SafetensorsFile> files, Map<String, SafetensorsFile> fileOfTensor, List<Path> companions) {
        this.files = files;
        this.fileOfTensor = fileOfTensor;
        this.companions = companions;
    }

    @Override
    public Set<String> names() {
        return Collections.unmodifiableSet(fileOfTensor.keySet());
    }

    @Override
    public Optional<StoredTensor> tensor(String name) {
        SafetensorsFile file = fileOfTensor.get(name);
        return file == null ? Optional.empty() : Optional.of(entry(file, name).tensor());
    }

    @Override
    public MemorySegment map(String name, long offset, long length, Arena arena) {
        SafetensorsFile file = fileOfTensor.get(name);
        if (file == null) {
            throw new CheckpointException(
                    files.getFirst().path().getParent() + ": has no tensor [" + Shown.name(name) + "] among its "
                            + fileOfTensor.size());
        }
        return file.map(entry(file, name), offset, length, arena);
    }

    @Override
    public Map<String, String> fingerprint(Checksum checksum) {
        var texts = new TreeMap<String, String>();
        for (SafetensorsFile file : files) {
            texts.put(file.path().getFileName().toString(), file.fingerprint(checksum));
        }
        for (Path path : companions) {
            try (var channel = FileChannel.open(path, StandardOpenOption.READ)) {
                texts.put(path.getFileName().toString(), Fingerprint.full(channel));
            } catch (IOException e) {
                throw new CheckpointException(path + ": cannot be read for its checksum", e);
            }
        }
        return Collections.unmodifiableMap(texts);
    }

    @Override
    public List<Path> files() {
        return files.stream().map(SafetensorsFile::path).toList();
    }

    @Override
    public void close() {
        files.forEach(SafetensorsFile::close);
    }

    private static Header.Entry entry(SafetensorsFile file, String name) {
        Header.Entry entry = file.tensors().get(name);
        if (entry == null) {
            throw new IllegalStateException(file.path() + " lost tensor " + name);
        }
        return entry;
    }
}
