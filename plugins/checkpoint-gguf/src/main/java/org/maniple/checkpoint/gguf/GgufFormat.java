package org.maniple.checkpoint.gguf;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.checkpoint.CheckpointFormat;
import org.maniple.api.checkpoint.CompanionFiles;

/**
 * Models in the GGUF format, versions 2 and 3: a file {@code *.gguf}, any part of a split one ({@code *-00001-of-00003.gguf}), or a directory with
 * one of both and no other weights.
 */
public final class GgufFormat implements CheckpointFormat {

    private static final String SUFFIX = ".gguf";

    private final Headers headers = new Headers(Clock.systemUTC());

    /** For {@link java.util.ServiceLoader}. */
    public GgufFormat() {
        // nothing to set up
    }

    @Override
    public String name() {
        return "gguf";
    }

    @Override
    public boolean accepts(Path model) {
        if (Files.isDirectory(model)) {
            return !found(model, "*" + SUFFIX).isEmpty() && found(model, "*.safetensors").isEmpty();
        }
        return Files.isRegularFile(model) && model.getFileName().toString().endsWith(SUFFIX);
    }

    @Override
    public Checkpoint open(Path model) {
        GgufModel files = GgufModel.open(file(model), headers);
        try {
            return new GgufCheckpoint(files, Architectures.of(files).parts());
        } catch (RuntimeException e) {
            files.close();
            throw e;
        }
    }

    @Override
    public Optional<CompanionFiles> companions(Path model) {
        try (GgufModel files = GgufModel.open(file(model), headers)) {
            return Optional.of(GgufCompanions.of(files));
        }
    }

    private static Path file(Path model) {
        Path path = model.toAbsolutePath();
        if (!Files.isDirectory(path)) {
            return path;
        }
        List<Path> candidates = found(path, "*" + SUFFIX).stream().filter(GgufFormat::first).toList();
        if (candidates.size() == 1) {
            return candidates.getFirst();
        }
        throw new CheckpointException(
                path + ": has " + candidates.size() + " models " + candidates.stream().map(Path::getFileName).sorted()
                        .limit(10).toList() + "; name one of the files");
    }

    /** Of the parts of a model the first one counts. */
    private static boolean first(Path file) {
        Matcher matcher = GgufModel.PART.matcher(file.getFileName().toString());
        return !matcher.matches() || Integer.parseInt(matcher.group(2)) == 1;
    }

    private static List<Path> found(Path directory, String pattern) {
        var found = new ArrayList<Path>();
        try (var entries = Files.newDirectoryStream(directory, pattern)) {
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
