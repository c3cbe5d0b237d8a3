package org.maniple.transport.shm;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Notices that the process of a peer has ended or is stopped. Shared memory does not tell: unlike a socket, it stays as it is. The kernel's word is
 * taken rather than a peer's silence, because a busy machine is not a broken one.
 */
final class PeerWatch {

    private static final long EVERY_MILLIS = 100;
    /** Somebody who looks with a debugger is soon gone. */
    private static final long STOPPED_MILLIS = 300;

    private final Segment own;
    private final Collection<ShmLink> links;
    private final Map<ShmLink, Long> stopped = new HashMap<>();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread thread;

    private PeerWatch(int rank, Segment own, Collection<ShmLink> links) {
        this.own = own;
        this.links = links;
        this.thread = Thread.ofPlatform().daemon().name("shm-watch-" + rank).unstarted(this::run);
    }

    /** Watches all peers in other processes than this one. */
    static PeerWatch start(int rank, Locator here, Segment own, Collection<ShmLink> links) {
        List<ShmLink> others = new ArrayList<>(links);
        others.removeIf(link -> link.locator().sameProcess(here));
        var watch = new PeerWatch(rank, own, others);
        if (!others.isEmpty()) {
            watch.thread.start();
        }
        return watch;
    }

    private void run() {
        try {
            while (!closing.await(EVERY_MILLIS, TimeUnit.MILLISECONDS)) {
                for (ShmLink link : links) {
                    look(link, System.nanoTime());
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void look(ShmLink link, long now) {
        Optional<ProcessState> state = ProcessState.of(link.locator().process());
        if (state.isEmpty() || state.get().ended() || state.get().started() != link.locator().started()) {
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

    private void lose(ShmLink link, String how) {
        link.lose(how);
        own.ring();
    }

    void close() {
        closing.countDown();
    }
}
