package org.maniple.kernel.boot;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;
import org.maniple.api.ManipleException;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.kernel.config.EffectiveSettings;
import org.maniple.kernel.config.Environment;
import org.maniple.kernel.config.KernelOptions;
import org.maniple.kernel.load.WeightCache;
import org.maniple.kernel.plugin.KernelExtensions;

/** The cache of weights that a configuration asks for. */
final class WeightCaches {

    private WeightCaches() {}

    /**
     * The cache.
     *
     * @param report is told what the cache does
     * @return empty if none is wanted
     */
    static Optional<WeightCache> of(EffectiveSettings settings, Path model, Checkpoint checkpoint, Consumer<String> report) {
        String asked = settings.text(KernelOptions.WEIGHT_CACHE);
        if (asked.equals("off")) {
            return Optional.empty();
        }
        Path folder = asked.equals("auto")
                ? Environment.ofThisProcess().caches().resolve("maniple").resolve("weights")
                : Path.of(asked).toAbsolutePath();
        return Optional.of(new WeightCache(folder, identity(model, checkpoint), report));
    }

    /** Sizes, headers and samples of the files, and when they were written. */
    private static String identity(Path model, Checkpoint checkpoint) {
        var text = new StringBuilder(KernelExtensions.version());
        checkpoint.fingerprint(Checkpoint.Checksum.SAMPLED)
                .forEach((file, fingerprint) -> text.append('\n').append(file).append(' ').append(fingerprint));
        for (Path file : checkpoint.files()) {
            try {
                text.append('\n').append(file.getFileName()).append(' ').append(Files.getLastModifiedTime(file));
            } catch (IOException e) {
                throw new ManipleException(file + " of model [" + model + "] cannot be read: " + e.getMessage(), e);
            }
        }
        return text.toString();
    }
}
