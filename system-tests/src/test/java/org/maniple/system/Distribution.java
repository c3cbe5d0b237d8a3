package org.maniple.system;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The unpacked distribution that is tested.
 *
 * @param home the folder that holds {@code bin}
 */
public record Distribution(Path home) {

    /** The one that the build has left, or that of {@code -Dmaniple.distro}. */
    public static Distribution find() {
        Path home = Path.of(System.getProperty("maniple.distro", "../distro/target/maniple-0.1.0-SNAPSHOT")).normalize()
                .toAbsolutePath();
        if (!Files.isExecutable(home.resolve("bin/maniple"))) {
            throw new AssertionError(
                    "no distribution in " + home + "; build it before (mvn package), or give -Dmaniple.distro=FOLDER");
        }
        return new Distribution(home);
    }

    /** A copy of it, whose files may be changed, without what starts have left in it. */
    Distribution copyTo(Path target) {
        try (Stream<Path> files = Files.walk(home)) {
            for (Path file : files.filter(f -> !f.startsWith(home.resolve("cache"))).toList()) {
                Files.copy(file, target.resolve(home.relativize(file).toString()), StandardCopyOption.COPY_ATTRIBUTES);
            }
            return new Distribution(target);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The model that comes with it. */
    public Path demoModel() {
        return home.resolve("models/demo-moe");
    }

    /** The words that start a command. */
    public List<String> command(List<String> arguments) {
        var words = new ArrayList<String>();
        words.add(home.resolve("bin/maniple").toString());
        words.addAll(arguments);
        return words;
    }
}
