package org.maniple.kernel.remote;

import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.maniple.api.engine.Engine;
import org.maniple.api.engine.Generation;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.GenerationEvent.Failed;
import org.maniple.api.engine.GenerationEvent.Finished;
import org.maniple.api.engine.GenerationEvent.Prompt;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.RefusedException;
import org.maniple.kernel.remote.RemoteFrame.Accepted;
import org.maniple.kernel.remote.RemoteFrame.Cancel;
import org.maniple.kernel.remote.RemoteFrame.Event;
import org.maniple.kernel.remote.RemoteFrame.PromptPart;
import org.maniple.kernel.remote.RemoteFrame.Refused;
import org.maniple.kernel.remote.RemoteFrame.ResetPrefixCache;
import org.maniple.kernel.remote.RemoteFrame.Status;
import org.maniple.kernel.remote.RemoteFrame.Submit;

/**
 * On rank 0: gives the engine the requests of other ranks, each for the group that its rank belongs to, and sends events back. Tells these
 * ranks once a second how the unit is. Safe for use by several threads.
 */
public final class RemoteEngineServer implements AutoCloseable {

    /** Sends a frame to a rank, in order and without waiting. */
    @FunctionalInterface
    public interface Sender {
        /**
         * Sends a frame.
         *
         * @param rank to whom
         * @param frame what
         */
        void send(int rank, byte[] frame);
    }

    private static final System.Logger LOG = System.getLogger(RemoteEngineServer.class.getName());
    private static final Duration STATUS_INTERVAL = Duration.ofSeconds(1);
    /** Entries of a prompt's log-probabilities in one frame: with 20 candidates each well below the limit of a frame. */
    private static final int PROMPT_PART = 4096;

    private record Key(int rank, long ticket) {}

    /** A request of another rank; the generation is there once the engine has taken it. */
    private static final class Task {
        private volatile @Nullable Generation generation;
    }

    private final Engine engine;
    private final Map<Integer, Integer> homes;
    private final Sender sender;
    private final Map<Key, Task> tasks = new ConcurrentHashMap<>();
    private final ScheduledExecutorService worker = Executors
            .newSingleThreadScheduledExecutor(Thread.ofPlatform().name("maniple-remote").daemon().factory());
    private volatile @Nullable Future<?> telling;

    /**
     * A server that has not begun.
     *
     * @param engine rank 0's
     * @param homes the ranks that may send requests, with the group that each belongs to
     * @param sender reaches them
     */
    public RemoteEngineServer(Engine engine, Map<Integer, Integer> homes, Sender sender) {
        this.engine = engine;
        this.homes = Map.copyOf(homes);
        this.sender = sender;
    }

    /** Begins to tell how the unit is: from now on requests may come. Called once. */
    public void start() {
        telling = worker.scheduleAtFixedRate(this::tellStatus, 0, STATUS_INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void tellStatus() {
        try {
            byte[] frame = FrameCodec.encode(new Status(engine.status()));
            Set.copyOf(homes.keySet()).forEach(rank -> sender.send(rank, frame));
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.WARNING, "The status of the unit cannot be told to other ranks", e);
        }
    }

    /**
     * Takes a frame; does not block.
     *
     * @param rank who sent it
     * @param bytes the frame
     * @throws MalformedFrameException if it is none that another rank may send
     */
    public void arrived(int rank, byte[] bytes) {
        Integer home = homes.get(rank);
        if (home == null) {
            throw new MalformedFrameException("rank " + rank + " serves nobody, but sent a request");
        }
        RemoteFrame frame = FrameCodec.decode(bytes);
        if (!(frame instanceof Submit) && !(frame instanceof Cancel) && !(frame instanceof ResetPrefixCache)) {
            throw new MalformedFrameException(frame.getClass().getSimpleName() + " comes from rank 0 only");
        }
        try {
            worker.execute(() -> handle(rank, home, frame));
        } catch (RejectedExecutionException closed) {
            LOG.log(System.Logger.Level.DEBUG, "A request of rank {0} came after the end", rank);
        }
    }

    private void handle(int rank, int home, RemoteFrame frame) {
        switch (frame) {
            case Submit(long ticket, GenerationRequest request) -> submit(new Key(rank, ticket), home, request);
            case Cancel(long ticket) -> {
                Task task = tasks.get(new Key(rank, ticket));
                Generation generation = task == null ? null : task.generation;
                if (generation != null) {
                    generation.cancel();
                }
            }
            case ResetPrefixCache() -> engine.resetPrefixCache();
            default -> throw new IllegalStateException("a frame that arrived() refuses: " + frame);
        }
    }

    private void submit(Key key, int home, GenerationRequest request) {
        var task = new Task();
        tasks.put(key, task);
        // Ids of clients are unique on their own rank only.
        String id = request.id() + "@" + key.rank() + "-" + key.ticket();
        try {
            // The acceptance must be on its way before the first event, which another thread may send at once.
            var gate = new Gate(key);
            task.generation = new PinnedEngine(engine, home)
                    .submit(request.called(id), gate::deliver);
            gate.open();
        } catch (RefusedException e) {
            tasks.remove(key);
            send(key, new Refused(key.ticket(), e.reason(), String.valueOf(e.getMessage())));
        } catch (RuntimeException e) {
            tasks.remove(key);
            LOG.log(System.Logger.Level.ERROR, "A request of rank " + key.rank() + " fails", e);
            send(key, new Refused(key.ticket(), RefusedException.Reason.UNAVAILABLE, "rank 0 could not take the request: " + e));
        }
    }

    private void send(Key key, RemoteFrame frame) {
        sender.send(key.rank(), FrameCodec.encode(frame));
    }

    /** Keeps a request's events behind its acceptance. */
    private final class Gate {

        private final Key key;
        private boolean open;

        Gate(Key key) {
            this.key = key;
        }

        synchronized void open() {
            if (!open) {
                open = true;
                send(key, new Accepted(key.ticket()));
            }
        }

        synchronized void deliver(GenerationEvent event) {
            open();
            if (event instanceof Prompt(var entries)) {
                int from = 0;
                do {
                    int to = Math.min(entries.size(), from + PROMPT_PART);
                    send(key, new PromptPart(key.ticket(), to == entries.size(), entries.subList(from, to)));
                    from = to;
                } while (from < entries.size());
                return;
            }
            if (event instanceof Finished || event instanceof Failed) {
                tasks.remove(key);
            }
            send(key, new Event(key.ticket(), event));
        }
    }

    /** Requests of other ranks that have not ended. */
    int running() {
        return tasks.size();
    }

    /** Takes nothing any more. Running requests go on; whoever ends the engine ends them. */
    @Override
    public void close() {
        Future<?> status = telling;
        if (status != null) {
            status.cancel(false);
        }
        worker.shutdownNow();
    }
}
