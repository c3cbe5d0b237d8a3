package org.maniple.kernel.plugin;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.maniple.api.ManipleException;

/** The file {@code conf/plugins.disabled}: one plugin id on each line; {@code #} begins a comment. */
public final class DisabledPlugins {

    private static final long LARGEST_FILE = 64 * 1024;

    private final Path file;

    /**
     * Uses a file that need not exist.
     *
     * @param file for example {@code conf/plugins.disabled}
     */
    public DisabledPlugins(Path file) {
        this.file = file;
    }

    /**
     * The ids in the file.
     *
     * @return sorted
     */
    public Set<String> ids() {
        var ids = new TreeSet<String>();
        for (String line : lines()) {
            String id = id(line);
            if (!id.isEmpty()) {
                ids.add(id);
            }
        }
        return ids;
    }

    /**
     * Adds an id.
     *
     * @param id of an installed plugin
     * @return false if it was there already
     */
    public boolean disable(String id) {
        if (ids().contains(id)) {
            return false;
        }
        var lines = new ArrayList<>(lines());
        lines.add(id);
        write(lines);
        return true;
    }

    /**
     * Removes an id.
     *
     * @param id of a plugin
     * @return false if it was not there
     */
    public boolean enable(String id) {
        if (!ids().contains(id)) {
            return false;
        }
        write(lines().stream().filter(line -> !id(line).equals(id)).toList());
        return true;
    }

    private static String id(String line) {
        int comment = line.indexOf('#');
        return (comment < 0 ? line : line.substring(0, comment)).strip();
    }

    private List<String> lines() {
        try {
            if (!Files.exists(file)) {
                return List.of();
            }
            if (Files.size(file) > LARGEST_FILE) {
                throw new ManipleException(
                        "[" + file + "] has " + Files.size(file) + " bytes; a list of plugins has at most " + LARGEST_FILE);
            }
            return Files.readAllLines(file);
        } catch (IOException e) {
            throw new ManipleException("[" + file + "] cannot be read: " + e.getMessage(), e);
        }
    }

    private void write(List<String> lines) {
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            Path fresh = file.resolveSibling(file.getFileName() + ".new");
            Files.write(fresh, lines);
            Files.move(fresh, file, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new ManipleException("[" + file + "] cannot be written: " + e.getMessage() + "; check its permissions", e);
        }
    }
}
