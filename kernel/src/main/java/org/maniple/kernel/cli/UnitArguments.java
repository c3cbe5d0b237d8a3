package org.maniple.kernel.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.maniple.kernel.config.ConfigurationException;

/**
 * The arguments of a command about a unit: a configuration file, switches of the command itself, and flags that are read later, once the
 * plugins have declared theirs.
 *
 * @param file the configuration file
 * @param flags what is left
 * @param dryRun whether nothing is to be started
 * @param program whether the program is to be printed
 */
record UnitArguments(Optional<Path> file, List<String> flags, boolean dryRun, boolean program) {

    private static final String FLAG = "--?[a-zA-Z].*";
    private static final String YAML = ".*\\.ya?ml";

    /** The file comes first, last (if its name ends in .yaml), or behind {@code --config}. */
    static UnitArguments parse(List<String> arguments) {
        var rest = new ArrayList<>(arguments);
        boolean dryRun = rest.remove("--dry-run");
        boolean program = rest.remove("--program");
        if (program && !dryRun) {
            throw new ConfigurationException(
                    List.of("--program: it prints the program instead of running it; give --dry-run --program"));
        }
        Optional<String> file = config(rest);
        if (!rest.isEmpty() && file.isEmpty()) {
            if (!rest.getFirst().matches(FLAG)) {
                file = Optional.of(rest.removeFirst());
            } else if (rest.getLast().matches(YAML) && !rest.getLast().matches(FLAG)) {
                file = Optional.of(rest.removeLast());
            }
        }
        return new UnitArguments(file.map(Path::of), List.copyOf(rest), dryRun, program);
    }

    /** As vLLM and SGLang spell it. */
    private static Optional<String> config(List<String> rest) {
        for (int at = 0; at < rest.size(); at++) {
            String argument = rest.get(at);
            if (argument.startsWith("--config=")) {
                rest.remove(at);
                return Optional.of(argument.substring("--config=".length()));
            }
            if (argument.equals("--config")) {
                if (at + 1 == rest.size()) {
                    throw new ConfigurationException(List.of("--config: the flag needs a value: the path of a YAML file"));
                }
                rest.remove(at);
                return Optional.of(rest.remove(at));
            }
        }
        return Optional.empty();
    }

    /** The model in front of the flags, as in {@code serve MODEL --port 80}, becomes a flag. */
    static UnitArguments withModel(List<String> arguments, List<String> more) {
        var all = new ArrayList<>(arguments);
        if (!all.isEmpty() && !all.getFirst().matches(FLAG)) {
            all.addFirst("--model");
        }
        all.addAll(more);
        return parse(all);
    }

    /** The arguments from which a rank reads the same configuration. */
    List<String> forRank() {
        var all = new ArrayList<String>();
        file.ifPresent(path -> all.add(path.toString()));
        all.addAll(flags);
        return List.copyOf(all);
    }
}
