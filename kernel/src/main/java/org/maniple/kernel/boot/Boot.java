package org.maniple.kernel.boot;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import java.util.stream.Collectors;
import org.maniple.api.ManipleException;
import org.maniple.kernel.bench.BenchPlan;
import org.maniple.kernel.bench.BenchReport;
import org.maniple.kernel.config.ConfigurationException;
import org.maniple.kernel.config.HostPort;
import org.maniple.kernel.config.Installation;
import org.maniple.kernel.config.KernelOptions;
import org.maniple.kernel.config.RankGrid;
import org.maniple.kernel.config.Topology;
import org.maniple.kernel.config.UnitConfiguration;
import org.maniple.kernel.plugin.LoadedPlugin;
import org.maniple.kernel.program.ProgramFingerprint;
import org.maniple.kernel.program.ProgramListing;
import org.maniple.kernel.unit.ParentWatch;
import org.maniple.kernel.unit.ProcessGroup;
import org.maniple.kernel.unit.StartupReport;
import org.maniple.kernel.unit.UnitRefusedException;

/** What the commands that start a unit do, once its configuration has been read. */
public final class Boot {

    private static final Duration MARGIN = Duration.ofSeconds(10);

    private final Installation installation;
    private final PrintStream out;
    private final PrintStream err;
    private final boolean terminal;
    private final InputStream in;
    private final IntConsumer halt;
    private final StartupTimes times;
    private final ClassArchive archive;

    /**
     * For one process.
     *
     * @param installation where {@code bin/maniple} is, which starts ranks
     * @param out for users
     * @param err for users
     * @param terminal whether {@code out} is a terminal
     * @param in this process's standard input: its end is the end of the process that started a rank
     * @param halt ends this process at once with an exit code
     * @param times of this process so far
     * @param archive where this JVM writes an archive of classes when it ends; it is kept if a unit has served and ended in order
     */
    public Boot(Installation installation, PrintStream out, PrintStream err, boolean terminal, InputStream in, IntConsumer halt,
            StartupTimes times, Optional<Path> archive) {
        this.installation = installation;
        this.out = out;
        this.err = err;
        this.terminal = terminal;
        this.in = in;
        this.halt = halt;
        this.times = times;
        this.archive = new ClassArchive(archive);
    }

    /** Lets the JVM make, on a thread of its own while plugins are looked for, what a unit's start needs soon afterwards. */
    public static void prepare() {
        Background.start("maniple-prepare", () -> {
            ModelFiles.prepare();
            return true;
        });
    }

    /**
     * Prints what would be started.
     *
     * @param configuration the configuration
     * @param listing whether the program is printed too
     * @return the exit code
     * @throws org.maniple.kernel.config.ConfigurationException if the model cannot be spread so
     */
    public int dryRun(UnitConfiguration configuration, boolean listing) {
        UnitPlan plan = UnitPlan.of(configuration);
        configuration.settings().render().forEach(out::println);
        out.println();
        configuration.topology().render().forEach(out::println);
        out.println();
        RankGrid.render(configuration.mesh(), configuration.topology()).forEach(out::println);
        out.println();
        out.println("program " + ProgramFingerprint.of(plan.program()));
        if (listing) {
            out.println();
            out.print(new ProgramListing(plan.program()));
        }
        configuration.notices().forEach(err::println);
        return 0;
    }

    /**
     * Starts the ranks of this node as processes of their own and waits for them. The only rank of a unit needs none: this process is it,
     * which saves the start of another JVM.
     *
     * @param configuration the configuration
     * @param arguments the file and flags that the ranks read it from again
     * @return the exit code
     * @throws InterruptedException if this thread is interrupted; all ranks are ended
     */
    public int launch(UnitConfiguration configuration, List<String> arguments) throws InterruptedException {
        checkBench(configuration);
        if (configuration.mesh().ranks() == 1) {
            configuration.notices().forEach(err::println);
            return rank(configuration);
        }
        UnitPlan.of(configuration).checkWeights();
        Topology topology = configuration.topology();
        if (topology.firstRank() == 0 || configuration.settings().flag(KernelOptions.API_PER_GROUP)) {
            TokenizerChoice.of(configuration);
        }
        configuration.notices().forEach(err::println);
        place(topology);
        var environment = new HashMap<String, String>();
        if (configuration.secret().isEmpty() && topology.nodes() == 1) {
            byte[] secret = new byte[32];
            new SecureRandom().nextBytes(secret);
            environment.put("MANIPLE_UNIT_SECRET", HexFormat.of().formatHex(secret));
        } else {
            Place.secret(configuration);
        }
        var commands = new ArrayList<ProcessGroup.Command>();
        List<String> line = line(configuration, arguments);
        for (int local = 0; local < topology.ranksHere(); local++) {
            var own = new ArrayList<>(line);
            own.addAll(List.of("--" + KernelOptions.LOCAL_RANK, Integer.toString(local)));
            commands.add(
                    new ProcessGroup.Command(topology.firstRank() + local, own, environment, new File(".").getAbsoluteFile()));
        }
        Duration linger = configuration.settings().duration(KernelOptions.FAULT_LINGER);
        Duration shutdown = configuration.settings().duration(KernelOptions.SHUTDOWN_TIMEOUT);
        var limits = new ProcessGroup.Limits(linger.plus(MARGIN), shutdown.plus(MARGIN));
        var ended = new CompletableFuture<Integer>();
        Thread hook = Thread.ofPlatform().name("exit-code").unstarted(() -> exitAs(ended, limits.terminate().plus(MARGIN)));
        Runtime.getRuntime().addShutdownHook(hook);
        int code = 1;
        try {
            code = new ProcessGroup(commands, limits, words(configuration), err).run();
        } finally {
            ended.complete(code);
        }
        return code;
    }

    /** In the process's shutdown hook: told to end by a signal, it ends as its ranks do, and not as one that the signal has killed. */
    private void exitAs(CompletableFuture<Integer> ended, Duration limit) {
        if (!ended.isDone()) {
            halt.accept(ended.completeOnTimeout(1, limit.toMillis(), TimeUnit.MILLISECONDS).join());
        }
    }

    /**
     * Is one rank.
     *
     * @param configuration the configuration, whose topology has a rank
     * @return the exit code
     * @throws InterruptedException if this thread is interrupted
     */
    public int rank(UnitConfiguration configuration) throws InterruptedException {
        LogLevel.set(configuration.settings().text(KernelOptions.LOG_LEVEL));
        if (configuration.settings().has(KernelOptions.LAUNCHER_ADDR)) {
            ParentWatch.start(in, () -> halt.accept(1));
        }
        times.mark("plugin discovery, configuration");
        if (configuration.settings().has(KernelOptions.LAUNCHER_ADDR)) {
            times.launched();
        }
        var report = new StartupReport(words(configuration), terminal);
        boolean first = Place.of(configuration).rank() == 0;
        EarlyParts parts = EarlyParts.begin(configuration, first, report);
        UnitPlan plan = UnitPlan.of(configuration);
        if (!configuration.settings().has(KernelOptions.LAUNCHER_ADDR)) {
            plan.checkWeights();
            place(configuration.topology());
        }
        if (first) {
            TokenizerChoice.of(configuration);
            report.plugins(configuration.catalog().plugins().stream().map(Boot::line).toList());
            report.grid(grid(configuration));
        }
        times.mark("program");
        var process = new RankProcess(plan, parts, report, new BenchReport(out, terminal), times);
        var ended = new CompletableFuture<Integer>();
        Duration shutdown = configuration.settings().duration(KernelOptions.SHUTDOWN_TIMEOUT);
        Thread hook = Thread.ofPlatform().name("shutdown").unstarted(() -> terminate(process, ended, shutdown));
        Runtime.getRuntime().addShutdownHook(hook);
        int code = 1;
        try {
            code = process.run();
        } catch (UnitRefusedException e) {
            report.line(String.valueOf(e.getMessage()));
            code = e.exitCode();
        } finally {
            ended.complete(code);
        }
        keepArchive(process, code);
        return code;
    }

    /** Followers know fewer classes, and units that did not serve knew fewer still. */
    private void keepArchive(RankProcess process, int code) {
        if (code == 0 && process.hasServed()) {
            archive.keep();
        }
    }

    private static void checkBench(UnitConfiguration configuration) {
        try {
            configuration.settings().optionalText(KernelOptions.BENCH).ifPresent(BenchPlan::parse);
        } catch (IllegalArgumentException e) {
            throw new ConfigurationException(
                    List.of(configuration.settings().where(KernelOptions.BENCH) + ": " + e.getMessage()));
        }
    }

    /** Where lines about the start go: not where figures are to be read by a program. */
    private PrintStream words(UnitConfiguration configuration) {
        return configuration.settings().has(KernelOptions.BENCH) ? err : out;
    }

    /** On a unit of several machines, where this one is and how the others reach it, each with its source: what goes wrong there most. */
    private void place(Topology topology) {
        if (topology.nodes() > 1) {
            topology.render().forEach(out::println);
        }
    }

    /** In the process's shutdown hook: asked to end by a signal, a rank ends in order; if it has ended already, nothing is left to do. */
    private void terminate(RankProcess process, CompletableFuture<Integer> ended, Duration limit) {
        if (ended.isDone()) {
            return;
        }
        process.terminate(limit);
        int code = ended.completeOnTimeout(1, MARGIN.toMillis(), TimeUnit.MILLISECONDS).join();
        keepArchive(process, code);
        halt.accept(code);
    }

    private List<String> line(UnitConfiguration configuration, List<String> arguments) {
        var line = new ArrayList<String>();
        line.add(installation.home().resolve("bin").resolve("maniple").toString());
        line.add("rank");
        line.addAll(arguments);
        HostPort meeting = configuration.topology().rendezvous();
        if (meeting.port() == 0) {
            line.addAll(List.of("--" + KernelOptions.LAUNCHER_ADDR, meeting.host() + ":" + freePort(meeting.host())));
        } else {
            line.addAll(List.of("--" + KernelOptions.LAUNCHER_ADDR, meeting.toString()));
        }
        return line;
    }

    /** A port that is free now; rank 0 takes it in a moment, and says so if somebody was faster. */
    private static int freePort(String host) {
        try (var socket = new ServerSocket(0, 1, InetAddress.getByName(host))) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new ManipleException(
                    "no port can be opened on [" + host + "], where the ranks of this node meet: " + e.getMessage(), e);
        }
    }

    private static StartupReport.PluginLine line(LoadedPlugin plugin) {
        String provides = plugin.extensions().stream().map(p -> p.kind().word() + " " + p.extension().name())
                .collect(Collectors.joining(", "));
        return new StartupReport.PluginLine(plugin.id(), plugin.descriptor().version(), provides);
    }

    private static List<StartupReport.GridLine> grid(UnitConfiguration configuration) {
        var lines = new ArrayList<StartupReport.GridLine>();
        for (int rank = 0; rank < configuration.mesh().ranks(); rank++) {
            Map<String, Integer> coordinates = Place.coordinates(configuration.mesh(), rank);
            lines.add(new StartupReport.GridLine(rank, "node " + configuration.topology().nodeOf(rank), coordinates));
        }
        return lines;
    }
}
