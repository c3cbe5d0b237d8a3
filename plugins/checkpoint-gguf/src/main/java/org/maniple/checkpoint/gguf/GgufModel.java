package org.maniple.checkpoint.gguf;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.maniple.api.checkpoint.CheckpointException;

/** The open files of a model: one, or all parts of one that was split, of which the first has the metadata. */
final class GgufModel implements AutoCloseable {

    static final Pattern PART = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.gguf");
    private static final int MAX_PARTS = 10_000;

    /**
     * A tensor and the file that it is in.
     */
    record Placed(GgufFile file, GgufTensor tensor) {}

    private final List<GgufFile> files;
    private final Map<String, Placed> tensors = new LinkedHashMap<>();

    private GgufModel(List<GgufFile> files) {
        this.files = files;
        for (GgufFile file : files) {
            file.header().tensors().forEach((name, tensor) -> {
                Placed before = tensors.put(name, new Placed(file, tensor));
                if (before != null) {
                    throw new CheckpointException(file.path() + ": tensor [" + Shown.name(name) + "] is in "
                            + before.file().path().getFileName() + " too");
                }
            });
        }
    }

    /**
     * Opens a file, and with a part of a split model all others.
     */
    static GgufModel open(Path path, Headers headers) {
        var files = new ArrayList<GgufFile>();
        try {
            for (Path part : parts(path)) {
                files.add(GgufFile.open(part, headers));
            }
            checkParts(files);
            return new GgufModel(List.copyOf(files));
        } catch (RuntimeException e) {
            files.forEach(GgufFile::close);
            throw e;
        }
    }

    private static List<Path> parts(Path path) {
        Matcher matcher = PART.matcher(path.getFileName().toString());
        if (!matcher.matches()) {
            return List.of(path);
        }
        int count = Integer.parseInt(matcher.group(3));
        if (count < 1 || count > MAX_PARTS) {
            throw new CheckpointException(path + ": is one of " + count + " parts; 1 to " + MAX_PARTS + " are accepted");
        }
        var parts = new ArrayList<Path>();
        for (int part = 1; part <= count; part++) {
            Path file = path.resolveSibling("%s-%05d-of-%05d.gguf".formatted(matcher.group(1), part, count));
            if (!Files.isRegularFile(file)) {
                throw new CheckpointException(file + ": is not there, but " + path.getFileName() + " is one of " + count
                        + " parts; download it too");
            }
            parts.add(file);
        }
        return parts;
    }

    private static void checkParts(List<GgufFile> files) {
        for (int i = 0; i < files.size(); i++) {
            Metadata metadata = files.get(i).metadata();
            int count = metadata.integer("split.count").orElse(1);
            int number = metadata.integer("split.no").orElse(0);
            boolean alone = files.size() == 1 && count <= 1;
            if (!alone && (count != files.size() || number != i)) {
                throw new CheckpointException(metadata.file() + ": is part " + (number + 1) + " of " + count
                        + " by its metadata, but " + (i + 1) + " of " + files.size()
                        + " by its name; give the parts their names back"
                        + " (NAME-00001-of-" + "%05d".formatted(Math.min(count, 99_999)) + ".gguf)");
            }
        }
    }

    List<GgufFile> files() {
        return files;
    }

    Metadata metadata() {
        return files.getFirst().metadata();
    }

    Map<String, Placed> tensors() {
        return tensors;
    }

    Optional<GgufTensor> tensor(String name) {
        return Optional.ofNullable(tensors.get(name)).map(Placed::tensor);
    }

    @Override
    public void close() {
        files.forEach(GgufFile::close);
    }
}
