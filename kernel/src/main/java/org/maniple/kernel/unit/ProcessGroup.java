package org.maniple.kernel.unit;

import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.maniple.api.ManipleException;
import org.maniple.api.transport.HostProcess;
import org.maniple.api.transport.ProcessWatch;

/**
 * The rank processes of a node: started, listened to, and ended together. The first one has the terminal to itself; what the others print is
 * prefixed with their rank. When one ends, the others must end as well. None stays behind: not when this process is told to end, and, if
 * the children use {@link ParentWatch}, not when it is killed. One that is stopped (SIGSTOP) is ended.
 */
public final class ProcessGroup {

    /** Later than ranks see it of each other, who can say what the stopped one owes them. */
    private static final Duration STOPPED = Duration.ofMillis(700);

    private static final Duration LAST_OUTPUT = Duration.ofSeconds(1);
    /** Exit values of a process ended by a signal are 128 and the signal's number. */
    private static final int SIGNALLED = 128;
    private static final Map<Integer, String> SIGNALS = Map.of(
            1, "SIGHUP", 2, "SIGINT", 3, "SIGQUIT", 4, "SIGILL", 6, "SIGABRT", 7, "SIGBUS", 9, "SIGKILL", 11, "SIGSEGV", 15,
            "SIGTERM",
            24, "SIGXCPU");

    private final List<Command> commands;
    private final Limits limits;
    private final PrintStream out;
    private final PrintStream err;

    private final List<Child> children = new ArrayList<>();
    private final BlockingQueue<Child> ended = new LinkedBlockingQueue<>();
    private boolean stopping;

    /**
     * A group that has not been started.
     *
     * @param commands the ranks of this node, at least one; the first gets the terminal
     * @param limits how patient the group is
     * @param out where the other ranks' output goes
     * @param err where the other ranks' errors go, and what the group itself has to say
     */
    public ProcessGroup(List<Command> commands, Limits limits, PrintStream out, PrintStream err) {
        this.commands = List.copyOf(commands);
        this.limits = limits;
        this.out = out;
        this.err = err;
    }

    /**
     * How to start a rank.
     *
     * @param rank its number
     * @param line the program and its arguments
     * @param environment variables in addition to those of this process
     * @param directory where it runs
     */
    public record Command(int rank, List<String> line, Map<String, String> environment, File directory) {
        /** Copies. */
        public Command {
            line = List.copyOf(line);
            environment = Map.copyOf(environment);
        }
    }

    /**
     * How patient the group is.
     *
     * @param others how long the others get to end by themselves after one has ended: at least the linger of a failed unit, and some more
     * @param terminate how long a rank gets between being asked to end and being killed
     */
    public record Limits(Duration others, Duration terminate) {}

    private record Child(int rank, Process process, List<LinePump> pumps) {}

    /**
     * Starts all ranks and waits until none is left.
     *
     * @return 0 if all ended with 0; else the exit code of the first that did not, or 1 if it was ended by a signal
     * @throws ManipleException if a rank cannot be started; names the command. Those already started are ended
     * @throws InterruptedException if the thread is interrupted; all ranks are ended
     */
    public int run() throws InterruptedException {
        Thread hook = Thread.ofPlatform().name("end-ranks").unstarted(this::terminate);
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            commands.forEach(this::start);
            try (var _ = watch()) {
                return supervise();
            }
        } finally {
            terminate();
            removeHook(hook);
        }
    }

    private static void removeHook(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // This process is ending already, and the hook is at work.
        }
    }

    @SuppressWarnings("FutureReturnValueIgnored") // the end of a process cannot fail
    private synchronized void start(Command command) {
        if (stopping) {
            return;
        }
        boolean first = children.isEmpty();
        ProcessBuilder builder = new ProcessBuilder(command.line()).directory(command.directory());
        builder.environment().putAll(command.environment());
        if (first) {
            builder.redirectOutput(ProcessBuilder.Redirect.INHERIT).redirectError(ProcessBuilder.Redirect.INHERIT);
        }
        try {
            Process process = builder.start();
            String prefix = "[rank " + command.rank() + "] ";
            List<LinePump> pumps = first
                    ? List.of()
                    : List.of(new LinePump(prefix, process.getInputStream(), out),
                            new LinePump(prefix, process.getErrorStream(), err));
            Child child = new Child(command.rank(), process, pumps);
            children.add(child);
            process.onExit().thenRun(() -> ended.add(child));
        } catch (IOException e) {
            throw new ManipleException("rank " + command.rank() + " cannot be started with the command " + command.line() + ": "
                    + e.getMessage(), e);
        }
    }

    /**
     * A stopped rank holds up its unit, whose ranks on other hosts cannot see it: to them it is only silent, and their own kernels say that its host
     * is well. Ended, it is lost for all at once.
     */
    private ProcessWatch<Child> watch() {
        var processes = new HashMap<Child, HostProcess>();
        try {
            for (Child child : children) {
                HostProcess.of(child.process().pid()).ifPresent(process -> processes.put(child, process));
            }
        } catch (IOException e) {
            // Not on Linux.
        }
        return ProcessWatch.start("watch-ranks", processes, STOPPED, (child, how) -> {}, (child, how) -> {
            err.println("rank " + child.rank() + " (process " + child.process().pid() + ") " + how + "; ending it");
            child.process().toHandle().destroyForcibly();
        });
    }

    private int supervise() throws InterruptedException {
        Set<Integer> alive = new TreeSet<>(children.stream().map(Child::rank).toList());
        int result = 0;
        long deadline = Long.MAX_VALUE;
        boolean impatient = false;
        while (!alive.isEmpty()) {
            Child child = deadline == Long.MAX_VALUE || impatient
                    ? ended.take()
                    : ended.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
            if (child == null) {
                impatient = true;
                err.println("ranks " + alive + " did not end within " + Wait.seconds(limits.others()) + "; ending them");
                result = result == 0 ? 1 : result;
                terminate();
                continue;
            }
            alive.remove(child.rank());
            drain(child);
            int code = child.process().exitValue();
            if (deadline == Long.MAX_VALUE) {
                deadline = System.nanoTime() + limits.others().toNanos();
            }
            if (!isStopping()) {
                report(child, code, alive);
                result = result != 0 || code == 0 ? result : code > SIGNALLED ? 1 : code;
            }
        }
        return result;
    }

    private void report(Child child, int code, Set<Integer> alive) {
        if (code != 0) {
            String rest = alive.isEmpty()
                    ? ""
                    : "; ranks " + alive + " get " + Wait.seconds(limits.others()) + " to end by themselves";
            err.println("rank " + child.rank() + " (process " + child.process().pid() + ") " + describe(code) + rest);
        }
    }

    /** How a process ended, for example {@code was killed by SIGKILL}. */
    static String describe(int code) {
        if (code <= SIGNALLED) {
            return "ended with exit code " + code;
        }
        int signal = code - SIGNALLED;
        String hint = signal == 9 ? " (by hand, or because memory ran out: see the kernel's log)" : "";
        return "was killed by " + SIGNALS.getOrDefault(signal, "signal " + signal) + hint;
    }

    private static void drain(Child child) throws InterruptedException {
        for (LinePump pump : child.pumps()) {
            pump.await(LAST_OUTPUT.toMillis());
        }
    }

    private synchronized boolean isStopping() {
        return stopping;
    }

    /** Asks all ranks to end, waits for them as long as they may take, and kills those that are left. May be called by any thread. */
    public void terminate() {
        List<Child> all;
        synchronized (this) {
            stopping = true;
            all = List.copyOf(children);
        }
        // Not Process.destroy(): it closes the pipes as well, so that last words are lost and a child that watches its parent halts.
        all.forEach(child -> child.process().toHandle().destroy());
        long deadline = System.nanoTime() + limits.terminate().toNanos();
        for (Child child : all) {
            if (!endedBy(child.process(), deadline)) {
                child.process().toHandle().destroyForcibly();
            }
        }
        all.forEach(ProcessGroup::hearLastWords);
    }

    private static boolean endedBy(Process process, long deadline) {
        try {
            return process.waitFor(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private static void hearLastWords(Child child) {
        try {
            drain(child);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
