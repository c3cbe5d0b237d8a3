package org.maniple.transport.rdma;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Notices that the process of a peer on this host has ended or is stopped, which UCX tells late or never. The kernel's word is taken rather than a
 * peer's silence, because a busy machine is not a broken one. Peers on other hosts are watched over by the unit.
 */
final class PeerWatch {

    private static final long EVERY_MILLIS = 150;
    /** Somebody who looks with a debugger is soon gone. */
    private static final long STOPPED_MILLIS = 700;

    private final Worker worker;
    private final Collection<RdmaLink> links;
    private final Map<RdmaLink, Long> stopped = new HashMap<>();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread thread;

    private PeerWatch(int rank, Worker worker, Collection<RdmaLink> links) {
        this.worker = worker;
        this.links = links;
        this.thread = Thread.ofPlatform().daemon().name("rdma-watch-" + rank).unstarted(this::run);
    }

    /** Watches the peers in other processes of this host. */
    static PeerWatch start(int rank, Place here, Worker worker, Collection<RdmaLink> links) {
        List<RdmaLink> others = new ArrayList<>(links);
        others.removeIf(link -> !here.seesOther(link.place()));
        var watch = new PeerWatch(rank, worker, others);
        if (!others.isEmpty()) {
            watch.thread.start();
        }
        return watch;
    }

    private void run() {
        try {
            while (!closing.await(EVERY_MILLIS, TimeUnit.MILLISECONDS)) {
                for (RdmaLink link : links) {
                    look(link, System.nanoTime());
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void look(RdmaLink link, long now) {
        Optional<ProcessState> state = ProcessState.of(link.place().process());
        if (state.isEmpty() || state.get().ended() || state.get().started() != link.place().started()) {
            lose(link, "has ended: its process is gone");
        } else if (state.get().stopped()) {
            long since = stopped.computeIfAbsent(link, l -> now);
            long millis = (now - since) / 1_000_000;
            if (millis >= STOPPED_MILLIS) {
                lose(link, "is stopped: its process has been in state " + state.get().letter() + " for " + millis + " ms");
            }
        } else {
            stopped.remove(link);
        }
    }

    private void lose(RdmaLink link, String how) {
        link.lose(how);
        worker.wakeUp();
    }

    void close() {
        closing.countDown();
    }
}
