package org.maniple.kernel.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.maniple.api.ApiVersion;
import org.maniple.api.ManipleException;
import org.maniple.kernel.config.ConfigurationException;
import org.maniple.kernel.config.KernelOptions;
import org.maniple.kernel.plugin.KernelExtensions;
import org.maniple.kernel.plugin.PluginException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.OptionSpec;

/** All commands. Exit codes: 0 done, 1 failed at run time, 2 wrong usage or configuration. */
public final class CommandTree {

    /** Exit code of wrong usage and wrong configurations. */
    public static final int USAGE = 2;

    private static final int FAILED = 1;

    private final Surroundings surroundings;

    /**
     * Builds the commands.
     *
     * @param surroundings what they work with
     */
    public CommandTree(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    private CommandLine tree() {
        var commands = new CommandLine(new Top());
        addAll(commands);
        commands.setExpandAtFiles(false);
        commands.setPosixClusteredShortOptionsAllowed(false);
        commands.setUsageHelpWidth(120);
        commands.setOut(new PrintWriter(surroundings.out(), true, surroundings.out().charset()));
        commands.setErr(new PrintWriter(surroundings.err(), true, surroundings.err().charset()));
        commands.setColorScheme(Help.defaultColorScheme(surroundings.colours() ? Help.Ansi.ON : Help.Ansi.OFF));
        commands.setExecutionExceptionHandler((failure, command, parsed) -> report(failure));
        addHelp(commands);
        return commands;
    }

    private Optional<UnitCommand> unit(String name) {
        return switch (name) {
            case "launch" -> Optional.of(new UnitCommand.Launch(surroundings));
            case "serve" -> Optional.of(new UnitCommand.Serve(surroundings));
            case "generate" -> Optional.of(new UnitCommand.Generate(surroundings));
            case "rank" -> Optional.of(new UnitCommand.Rank(surroundings));
            default -> Optional.empty();
        };
    }

    private void addAll(CommandLine commands) {
        for (UnitCommand command : List.of(new UnitCommand.Launch(surroundings), new UnitCommand.Serve(surroundings),
                new UnitCommand.Generate(surroundings), new UnitCommand.Plan(surroundings), new UnitCommand.Rank(surroundings))) {
            commands.addSubcommand(withFlags(command));
        }
        var plugins = new CommandLine(new PluginsCommand.Group());
        for (PluginsCommand command : List.of(new PluginsCommand.ListAll(surroundings), new PluginsCommand.Info(surroundings),
                new PluginsCommand.Verify(surroundings), new PluginsCommand.Enable(surroundings),
                new PluginsCommand.Disable(surroundings))) {
            plugins.addSubcommand(new CommandLine(command));
        }
        commands.addSubcommand(plugins);
        var bench = new CommandLine(new BenchCommand.Group());
        bench.addSubcommand(withFlags(new UnitCommand.BenchModel(surroundings)));
        bench.addSubcommand(new CommandLine(new BenchCommand.Serve(surroundings)));
        bench.addSubcommand(withFlags(new UnitCommand.BenchKernels(surroundings)));
        commands.addSubcommand(bench);
        commands.addSubcommand(new CommandLine(new DoctorCommand(surroundings)));
        commands.addSubcommand(new CommandLine(new Version()));
    }

    /** Flags of units are read later, so picocli takes all but {@code --help} for values. */
    private static CommandLine withFlags(UnitCommand command) {
        var line = new CommandLine(command);
        line.setUnmatchedOptionsArePositionalParams(true);
        var spec = line.getCommandSpec();
        var footer = new ArrayList<>(List.of(spec.usageMessage().footer()));
        footer.add(
                "%nFlags; each is also a key of the configuration file and a variable (--max-num-seqs, max-num-seqs, MANIPLE_MAX_NUM_SEQS)."
                        + " Plugins bring more: maniple plugins info ID.");
        OptionHelp.lines(KernelOptions.ALL).forEach(text -> footer.add(text.replace("%", "%%")));
        spec.usageMessage().footer(footer.toArray(String[]::new));
        return line;
    }

    private static void addHelp(CommandLine line) {
        line.getCommandSpec()
                .addOption(OptionSpec.builder("-h", "--help").usageHelp(true).description("Shows this help.").build());
        line.getSubcommands().values().forEach(CommandTree::addHelp);
    }

    /**
     * Runs one command.
     *
     * @param arguments the command and its arguments
     * @return the exit code
     */
    public int run(String... arguments) {
        List<String> all = List.of(arguments);
        boolean help = all.isEmpty() || all.contains("-h") || all.contains("--help");
        Optional<UnitCommand> start = help ? Optional.empty() : unit(all.getFirst());
        return start.isPresent() ? run(start.get(), all.subList(1, all.size())) : tree().execute(arguments);
    }

    /** A command whose flags are all read later, as in most starts, is spared the tree, which takes a noticeable part of a start. */
    @SuppressWarnings("IllegalCatch")
    private int run(UnitCommand command, List<String> arguments) {
        command.arguments.addAll(arguments);
        // As with the tree: what comes behind it is no flag of the command itself, and there are none but --help.
        command.arguments.remove("--");
        try {
            return command.call();
        } catch (Exception failure) { // whatever it is, it is reported
            return report(failure);
        }
    }

    private int report(Exception failure) {
        switch (failure) {
            case ConfigurationException mistakes -> mistakes(mistakes);
            case ManipleException reason -> surroundings.err().println("maniple: " + reason.getMessage());
            case InterruptedException interrupted -> surroundings.err().println("maniple: interrupted");
            default -> {
                surroundings.err()
                        .println("maniple: this is a mistake in Maniple or a plugin; please report it with what follows");
                failure.printStackTrace(surroundings.err());
            }
        }
        return failure instanceof ConfigurationException || failure instanceof PluginException ? USAGE : FAILED;
    }

    private void mistakes(ConfigurationException mistakes) {
        if (mistakes.problems().size() == 1) {
            surroundings.err().println("maniple: " + mistakes.problems().getFirst());
        } else {
            surroundings.err().println("maniple: " + mistakes.getMessage());
        }
    }

    @Command(name = "maniple", description = "Serves large language models that are spread over several processes and machines.", synopsisSubcommandLabel = "COMMAND", footer = {
        "%nExamples:",
        "  maniple serve models/demo-moe --tp 2 --pp 2",
        "  maniple launch unit.yaml --dry-run",
        "  maniple COMMAND --help",
        "%nExit codes: 0 done, 1 failed at run time, 2 wrong usage or configuration."})
    private static final class Top {}

    @Command(name = "version", description = "Shows the versions of Maniple, its plugin API and Java.", footer = {"%nExamples:",
        "  maniple version"})
    private final class Version implements Callable<Integer> {
        @Override
        public Integer call() {
            surroundings.out().println("maniple " + KernelExtensions.version() + " (kernel-api " + ApiVersion.CURRENT + ", Java "
                    + Runtime.version() + ")");
            return 0;
        }
    }
}
