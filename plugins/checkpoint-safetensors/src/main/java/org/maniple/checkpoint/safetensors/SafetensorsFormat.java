package org.maniple.checkpoint.safetensors;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.checkpoint.CheckpointFormat;

/**
 * Checkpoints in the safetensors format: a directory with {@code model.safetensors}, or with shards and their index, or with any one file
 * of that kind; or such a file itself. Symbolic links are followed, since caches of downloaded models consist of them.
 */
public final class SafetensorsFormat implements CheckpointFormat {

    private static final String SINGLE = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";
    private static final String SUFFIX = ".safetensors";
    private static final int MAX_SHARDS = 10_000;

    @Override
    public String name() {
        return "safetensors";
    }

    @Override
    public boolean accepts(Path model) {
        if (Files.isDirectory(model)) {
            return Files.isRegularFile(model.resolve(INDEX)) || !weightFiles(model).isEmpty();
        }
        return Files.isRegularFile(model) && (isWeights(model) || isIndex(model));
    }

    @Override
    public Checkpoint open(Path model) {
        return HeadlessCheckpoint.named(openAsStored(model));
    }

    private static Checkpoint openAsStored(Path model) {
        Path path = model.toAbsolutePath();
        if (Files.isRegularFile(path)) {
            return isIndex(path) ? openShards(path) : openSingle(path);
        }
        if (!Files.isDirectory(path)) {
            throw new CheckpointException(path + ": there is no such file or directory");
        }
        if (Files.isRegularFile(path.resolve(SINGLE))) {
            return openSingle(path.resolve(SINGLE));
        }
        if (Files.isRegularFile(path.resolve(INDEX))) {
            return openShards(path.resolve(INDEX));
        }
        List<Path> files = weightFiles(path);
        if (files.size() == 1) {
            return openSingle(files.getFirst());
        }
        throw new CheckpointException(
                path + ": has " + (files.isEmpty() ? "no" : Integer.toString(files.size())) + " files *" + SUFFIX
                        + " and no " + INDEX + "; name one file, or add the index that tells which tensor is in which file");
    }

    private static Checkpoint openSingle(Path path) {
        SafetensorsFile file = SafetensorsFile.open(path);
        var tensors = new LinkedHashMap<String, SafetensorsFile>();
        file.tensors().keySet().forEach(name -> tensors.put(name, file));
        return new SafetensorsCheckpoint(List.of(file), tensors, beside(path.resolveSibling("config.json")));
    }

    private static Checkpoint openShards(Path index) {
        Map<String, String> fileOfTensor = ShardIndex.read(index);
        var names = new LinkedHashSet<>(fileOfTensor.values());
        if (names.size() > MAX_SHARDS) {
            throw new CheckpointException(index + ": names " + names.size() + " files, more than " + MAX_SHARDS);
        }
        var opened = new LinkedHashMap<String, SafetensorsFile>();
        try {
            names.stream().sorted().forEach(name -> opened.put(name, openShard(index, name)));
            var tensors = new LinkedHashMap<String, SafetensorsFile>();
            fileOfTensor.forEach((tensor, name) -> {
                SafetensorsFile file = opened.get(name);
                if (file == null || !file.tensors().containsKey(tensor)) {
                    throw new CheckpointException(index + ": says that tensor [" + Shown.name(tensor) + "] is in " + name
                            + ", but that file has no such tensor");
                }
                tensors.put(tensor, file);
            });
            return new SafetensorsCheckpoint(List.copyOf(opened.values()), tensors,
                    beside(index.resolveSibling("config.json"), index));
        } catch (RuntimeException e) {
            opened.values().forEach(SafetensorsFile::close);
            throw e;
        }
    }

    private static SafetensorsFile openShard(Path index, String name) {
        Path path = index.resolveSibling(name);
        if (!Files.isRegularFile(path)) {
            throw new CheckpointException(
                    path + ": is not a file, but " + index.getFileName() + " names it as a shard; download it again");
        }
        return SafetensorsFile.open(path);
    }

    private static List<Path> beside(Path... paths) {
        return Stream.of(paths).filter(Files::isRegularFile).toList();
    }

    private static boolean isWeights(Path file) {
        return file.getFileName().toString().endsWith(SUFFIX);
    }

    private static boolean isIndex(Path file) {
        return file.getFileName().toString().endsWith(SUFFIX + ".index.json");
    }

    private static List<Path> weightFiles(Path directory) {
        var found = new ArrayList<Path>();
        try (var entries = Files.newDirectoryStream(directory, "*" + SUFFIX)) {
            for (Path entry : entries) {
                if (Files.isRegularFile(entry)) {
                    found.add(entry);
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            throw new CheckpointException(directory + ": cannot list the directory", e);
        }
        return found;
    }
}
