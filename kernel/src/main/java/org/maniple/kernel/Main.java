package org.maniple.kernel;

import java.nio.file.Path;
import java.util.*;
import org.maniple.kernel.boot.Boot;
import org.maniple.kernel.config.*;
import org.maniple.kernel.plugin.KernelExtensions;

/** The entry point of {@code bin/maniple}. */
public final class Main {
    private Main() {}

    /**
     * Runs one command.
     *
     * @param a the command and its flags
     */
    public static void main(String[] a) throws Exception {
        var env = Environment.ofThisProcess();
        var inst = Installation.ofThisProcess();
        var host = ThisHost.describe(env);
        var reader = new UnitConfigurationReader(inst, KernelExtensions.find(), env, NetworkView.ofThisMachine(), host);
        var boot = new Boot(inst, System.out, System.err, false, System.in, c -> Runtime.getRuntime().halt(c));
        var rest = new ArrayList<>(List.of(a).subList(1, a.length));
        var all = List.copyOf(rest);
        Optional<Path> file = Optional.empty();
        if (!rest.isEmpty() && !rest.getFirst().startsWith("-"))
            file = Optional.of(Path.of(rest.removeFirst()));
        int code;
        try {
            code = switch (a[0]) {
                case "launch" -> boot.launch(reader.readForNode(file, rest), all);
                case "rank" -> boot.rank(reader.readForRank(file, rest));
                case "dry" -> boot.dryRun(reader.readForNode(file, rest), true);
                default -> 2;
            };
        } catch (ConfigurationException e) {
            System.err.println(e.getMessage());
            code = 2;
        }
        System.exit(code);
    }
}
