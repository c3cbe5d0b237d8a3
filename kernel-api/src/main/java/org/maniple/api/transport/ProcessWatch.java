package org.maniple.api.transport;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/**
 * Notices that another process of this host has ended or is stopped, on a thread of its own. The kernel's word is taken rather than a process's
 * silence, because a busy machine is not a broken one: one that gets no processor for a while is not lost.
 *
 * @param <K> what stands for a process, for example a link
 */
public final class ProcessWatch<K> implements AutoCloseable {

    /** Somebody who looks with a debugger is soon gone. */
    public static final Duration STOPPED = Duration.ofMillis(300);

    private static final long EVERY_MILLIS = 100;
    /** So that nobody who has been stopped together with others, and goes on with them, takes them for stopped. */
    private static final int LOOKS = 3;

    private final Map<K, HostProcess> watched;
    private final Duration patience;
    private final BiConsumer<K, String> ended;
    private final BiConsumer<K, String> stopped;
    private final Map<K, Stop> stops = new HashMap<>();
    private final CountDownLatch closing = new CountDownLatch(1);

    private record Stop(long since, int looks) {}

    private ProcessWatch(Map<K, HostProcess> watched, Duration patience, BiConsumer<K, String> ended,
            BiConsumer<K, String> stopped) {
        this.watched = new HashMap<>(watched);
        this.patience = patience;
        this.ended = ended;
        this.stopped = stopped;
    }

    /**
     * Begins to watch.
     *
     * @param <K> what stands for a process
     * @param name of the thread
     * @param processes what this process {@linkplain HostProcess#seesOther sees}; without any, there is nothing to do
     * @param patience how long a process may be stopped
     * @param ended called on the thread of the watch when a process is gone, at most once for each, with what has happened, to follow its name in
     *     a sentence
     * @param stopped called instead if it has been stopped for too long, for example with {@code is stopped: its process has been in state T for
     *     300 ms}
     * @return the watch, to be closed by the caller
     */
    public static <K> ProcessWatch<K> start(String name, Map<K, HostProcess> processes, Duration patience,
            BiConsumer<K, String> ended, BiConsumer<K, String> stopped) {
        var watch = new ProcessWatch<>(processes, patience, ended, stopped);
        if (!processes.isEmpty()) {
            Thread.ofPlatform().daemon().name(name).start(watch::run);
        }
        return watch;
    }

    private void run() {
        try {
            while (!watched.isEmpty() && !closing.await(EVERY_MILLIS, TimeUnit.MILLISECONDS)) {
                watched.entrySet().removeIf(entry -> isLost(entry.getKey(), entry.getValue()));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean isLost(K key, HostProcess process) {
        Optional<ProcessState> state = process.state();
        if (state.isEmpty()) {
            ended.accept(key, "has ended: its process is gone");
            return true;
        }
        if (!state.get().stopped()) {
            stops.remove(key);
            return false;
        }
        long now = System.nanoTime();
        Stop before = stops.get(key);
        Stop stop = before == null ? new Stop(now, 0) : new Stop(before.since(), before.looks() + 1);
        stops.put(key, stop);
        long millis = (now - stop.since()) / 1_000_000;
        if (stop.looks() < LOOKS || millis < patience.toMillis()) {
            return false;
        }
        stopped.accept(key, "is stopped: its process has been in state " + state.get().letter() + " for " + millis + " ms");
        return true;
    }

    /** Ends the watch; a call that is under way may still go on. */
    @Override
    public void close() {
        closing.countDown();
    }
}
