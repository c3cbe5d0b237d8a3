package org.maniple.kernel.config;

import java.nio.file.Path;
import java.util.Optional;
import org.maniple.api.ManipleException;

/**
 * Where Maniple is installed.
 *
 * @param home the folder that has bin, lib, conf, plugins and models
 * @param plugins the folder with one folder for each plugin
 * @param disabledPlugins the file that lists disabled plugins; it need not exist
 */
public record Installation(Path home, Path plugins, Path disabledPlugins) {

    /**
     * The installation that this process was started from: the system property {@code maniple.home}, which {@code bin/maniple} sets;
     * {@code maniple.plugins} can name another plugins folder.
     *
     * @return the installation
     */
    public static Installation ofThisProcess() {
        var plugins = Optional.ofNullable(System.getProperty("maniple.plugins")).map(Path::of);
        var home = Optional.ofNullable(System.getProperty("maniple.home")).map(Path::of);
        if (home.isEmpty() && plugins.isEmpty()) {
            throw new ManipleException(
                    "nothing says where Maniple is installed: start it with bin/maniple, or give java -Dmaniple.home=FOLDER");
        }
        Path folder = home.orElseGet(() -> plugins.orElseThrow().toAbsolutePath().getParent()).toAbsolutePath().normalize();
        return new Installation(folder, plugins.orElse(folder.resolve("plugins")).toAbsolutePath().normalize(),
                folder.resolve("conf").resolve("plugins.disabled"));
    }

    /**
     * Where the JVM of this process writes an archive of its classes when it ends, for later starts: the system property {@code maniple.archive}, which
     * {@code bin/maniple} sets if there is none yet that fits, and the installation can be written.
     *
     * @return the file; empty if nothing is written
     */
    public static Optional<Path> wantedArchive() {
        return Optional.ofNullable(System.getProperty("maniple.archive")).map(Path::of);
    }

    /**
     * Where is kept what later starts need not find out again.
     *
     * @return a folder that need not exist
     */
    Path cache() {
        return home.resolve("cache");
    }

    /**
     * An installation in a folder.
     *
     * @param home the folder
     * @return the installation
     */
    public static Installation in(Path home) {
        return new Installation(home, home.resolve("plugins"), home.resolve("conf").resolve("plugins.disabled"));
    }
}
