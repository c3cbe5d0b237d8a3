package org.maniple.kernel.config;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Finds what a path of the configuration means: as it stands, beside the configuration file, or in the installation. */
final class ModelPath {

    private final Optional<Path> file;
    private final Installation installation;
    private final Problems problems;

    ModelPath(Optional<Path> file, Installation installation, Problems problems) {
        this.file = file;
        this.installation = installation;
        this.problems = problems;
    }

    /** Replaces the value of a key by the absolute path of what it names. */
    EffectiveSettings resolve(EffectiveSettings settings, String key) {
        String text = settings.text(key);
        Optional<Path> found = find(text);
        if (found.isEmpty()) {
            problems.add(settings.source(key), key,
                    hubId(text) ? hubMessage(text) : "there is no file or folder [" + text + "]; looked at: " + looked(text));
            return settings;
        }
        String absolute = found.get().toString();
        return absolute.equals(text) ? settings : settings.derive(key, absolute, "made absolute");
    }

    private Optional<Path> find(String text) {
        return looked(text).stream().map(Path::of).filter(Files::exists).findFirst();
    }

    private List<String> looked(String text) {
        var candidates = new ArrayList<String>();
        try {
            Path path = Path.of(text);
            add(candidates, path);
            file.ifPresent(config -> add(candidates, config.toAbsolutePath().resolveSibling(path)));
            add(candidates, installation.home().resolve(path));
        } catch (InvalidPathException e) {
            // No path at all: nothing to look at.
        }
        return candidates;
    }

    private static void add(List<String> candidates, Path path) {
        String text = path.toAbsolutePath().normalize().toString();
        if (!candidates.contains(text)) {
            candidates.add(text);
        }
    }

    private static boolean hubId(String text) {
        return text.matches("[A-Za-z0-9][\\w.-]*/[A-Za-z0-9][\\w.-]*");
    }

    private static String hubMessage(String text) {
        String folder = text.substring(text.indexOf('/') + 1);
        return "[" + text + "] looks like the name of a model on a hub; Maniple downloads nothing. Get its files with"
                + " [hf download " + text + " --local-dir " + folder + "], then give --model " + folder;
    }
}
