package org.maniple.kernel;

import java.io.Console;
import java.security.Security;
import java.util.Optional;
import java.util.Set;
import org.maniple.kernel.boot.Boot;
import org.maniple.kernel.boot.Planning;
import org.maniple.kernel.boot.StartupTimes;
import org.maniple.kernel.cli.CommandTree;
import org.maniple.kernel.cli.LaunchPlan;
import org.maniple.kernel.cli.Surroundings;
import org.maniple.kernel.cli.UnitStarter;
import org.maniple.kernel.config.Environment;
import org.maniple.kernel.config.Installation;
import org.maniple.kernel.config.NetworkView;
import org.maniple.kernel.config.ThisHost;
import org.maniple.kernel.config.UnitConfigurationReader;
import org.maniple.kernel.config.UnitWish;
import org.maniple.kernel.plugin.KernelExtensions;

/** The entry point of {@code bin/maniple}. */
public final class Main {
    /** Commands that start ranks. */
    private static final Set<String> STARTS = Set.of("serve", "launch", "rank", "generate", "bench");

    private Main() {}

    /**
     * Runs one command and ends the process with its exit code.
     *
     * @param arguments the command and its flags
     */
    public static void main(String[] arguments) {
        StartupTimes times = StartupTimes.ofThisProcess();
        // The name of a node that starts later may be unknown now: each attempt to reach it asks again.
        Security.setProperty("networkaddress.cache.negative.ttl", "0");
        if (arguments.length > 0 && STARTS.contains(arguments[0])) {
            Boot.prepare();
        }
        var environment = Environment.ofThisProcess();
        var builtIn = KernelExtensions.find();
        // In a run-time image without line editing there may be no console.
        boolean terminal = Optional.ofNullable(System.console()).filter(Console::isTerminal).isPresent();
        var surroundings = new Surroundings(Installation::ofThisProcess, () -> ThisHost.describe(environment), builtIn,
                installation -> new UnitConfigurationReader(installation, builtIn, environment, NetworkView.ofThisMachine(),
                        ThisHost.describe(environment), Planning::choose),
                new Starter(terminal, times), System.out, System.err, terminal && environment.coloursWanted());
        System.exit(new CommandTree(surroundings).run(arguments));
    }

    private record Starter(boolean terminal, StartupTimes times) implements UnitStarter {

        private Boot boot() {
            return new Boot(Installation.ofThisProcess(), System.out, System.err, terminal, System.in,
                    Runtime.getRuntime()::halt, times, Installation.wantedArchive());
        }

        @Override
        public int launch(LaunchPlan plan) throws InterruptedException {
            return boot().launch(plan.configuration(), plan.rankArguments());
        }

        @Override
        public int rank(LaunchPlan plan) throws InterruptedException {
            return boot().rank(plan.configuration());
        }

        @Override
        public int plan(UnitWish wish) {
            return new Planning(System.out, System.err).plan(wish);
        }

        @Override
        public int dryRun(LaunchPlan plan, boolean program) {
            return boot().dryRun(plan.configuration(), program);
        }
    }
}
