package org.maniple.kernel.unit;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.maniple.api.engine.UnitStatus.LinkStatus;
import org.maniple.api.engine.UnitStatus.RankStatus;
import org.maniple.api.transport.ControlLink;
import org.maniple.api.transport.Endpoint;
import org.maniple.kernel.unit.UnitMessage.Abort;
import org.maniple.kernel.unit.UnitMessage.Goodbye;
import org.maniple.kernel.unit.UnitMessage.Heartbeat;
import org.maniple.kernel.unit.UnitMessage.Opened;
import org.maniple.kernel.unit.UnitMessage.Parcel;
import org.maniple.kernel.unit.UnitMessage.Reached;
import org.maniple.kernel.unit.UnitMessage.Refused;
import org.maniple.kernel.unit.UnitMessage.Welcome;

/** Rank 0's part: it admits ranks, holds the barriers, and tells all when one is lost. */
public final class UnitLeader implements Membership {

    private enum State {
        NEW,
        JOINING,
        RUNNING,
        CLOSED
    }

    private final Endpoint endpoint;
    private final Hello self;
    private final UnitTimes times;
    private final RankProgress progress;
    private final UnitEvents events;
    private final Ticker ticker;
    private final Ending ending;
    private final Pulse pulse;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Roster roster;
    private final Admission admission;
    private final Connections connections;
    private final Neighbours neighbours;
    private State state = State.NEW;
    private Phase opened = Phase.JOINED;
    private long reportedBytes = -1;

    /**
     * A leader that has not begun yet.
     *
     * @param endpoint rank 0's end of the transport; closed by the caller, after this
     * @param self what rank 0 says about itself, and the others are compared with
     * @param places where each rank is expected, by rank, for messages, for example {@code node 1}; as many as the unit has ranks
     * @param times limits
     * @param progress how far this rank is
     * @param events what this rank is told
     * @param ticker the time
     */
    public UnitLeader(
            Endpoint endpoint,
            Hello self,
            List<String> places,
            UnitTimes times,
            RankProgress progress,
            UnitEvents events,
            Ticker ticker) {
        this.endpoint = endpoint;
        this.self = self;
        this.times = times;
        this.progress = progress;
        this.events = events;
        this.ticker = ticker;
        this.ending = new Ending(events);
        this.roster = new Roster(self, progress, places);
        this.admission = new Admission(self, roster);
        this.connections = new Connections(ticker, times.lease());
        this.neighbours = new Neighbours(self.rank());
        this.pulse = new Pulse(ticker, times.heartbeat(), this::beat, this::fail);
    }

    @Override
    public List<Member> join() {
        lock.lock();
        try {
            state = State.JOINING;
            endpoint.accept(this::accepted);
            Wait wait = new Wait(ticker, times.joinLimit(), times.noticeEvery());
            while (!admission.decided(ticker.nanos(), times.refusalGrace())) {
                if (wait.over()) {
                    throw giveUp(wait);
                }
                if (wait.noticeDue()) {
                    say(admission.notice(wait));
                } else {
                    wait.await(changed, admission.nanosToDecision(ticker.nanos(), times.refusalGrace()));
                }
                ending.check();
            }
            if (!admission.refusals().isEmpty()) {
                throw refuseAll();
            }
            return welcome();
        } finally {
            lock.unlock();
        }
    }

    private List<Member> welcome() {
        List<Member> members = roster.members();
        state = State.RUNNING;
        tellAll(new Welcome(self.epoch(), members));
        connections.beginWatch();
        pulse.start();
        neighbours.watch(members, this::stopped);
        return members;
    }

    private UnitFailedException giveUp(Wait wait) {
        String message = admission.missing(wait);
        state = State.CLOSED;
        ending.leave(message);
        tellAll(new Abort(new UnitFailure(self.rank(), self.host(), message)));
        connections.farewell(changed);
        return new UnitFailedException(message);
    }

    private UnitRefusedException refuseAll() {
        List<String> reasons = List.copyOf(admission.refusals());
        state = State.CLOSED;
        ending.leave("ranks differ");
        tellAll(new Refused(true, reasons));
        connections.farewell(changed);
        return new UnitRefusedException(reasons, true);
    }

    @Override
    public void reach(Phase phase, Duration limit) {
        lock.lock();
        try {
            requireNext(roster.ownPhase(), phase);
            roster.ownPhase(phase);
            openWhatAllReached();
            Wait wait = new Wait(ticker, limit, times.noticeEvery());
            while (opened.compareTo(phase) < 0) {
                ending.check();
                if (wait.over()) {
                    miss(phase, wait);
                } else if (wait.noticeDue()) {
                    List<Peer> behind = roster.behind(phase);
                    say("still waiting for ranks " + ranks(behind) + " to " + phase.verb() + " (" + wait.progressText() + "): "
                            + Roster.describe(behind));
                } else {
                    wait.await(changed);
                }
            }
            ending.check();
        } finally {
            lock.unlock();
        }
        reportLoading();
    }

    static void requireNext(Phase now, Phase next) {
        if (next.ordinal() != now.ordinal() + 1) {
            throw new IllegalStateException("phase " + next + " does not follow " + now);
        }
    }

    private void miss(Phase phase, Wait wait) {
        List<Peer> behind = roster.behind(phase);
        end(behind.getFirst().failure(
                "did not " + phase.verb() + " within " + wait.limitText() + "; still missing: " + Roster.describe(behind)));
    }

    private static List<Integer> ranks(List<Peer> peers) {
        return peers.stream().map(peer -> peer.link().peer()).toList();
    }

    private void openWhatAllReached() {
        while (opened != Phase.READY && roster.allReached(Phase.values()[opened.ordinal() + 1])) {
            opened = Phase.values()[opened.ordinal() + 1];
            tellAll(new Opened(opened));
        }
        changed.signalAll();
    }

    /** A peer has opened a link. */
    private void accepted(ControlLink link) {
        lock.lock();
        try {
            if (state == State.CLOSED) {
                link.close();
                return;
            }
            Peer peer = new Peer(this, link, ticker.nanos());
            connections.add(peer);
            link.start(peer);
        } finally {
            lock.unlock();
        }
    }

    void received(Peer peer, byte[] bytes) {
        UnitMessage message = null;
        lock.lock();
        try {
            peer.heard(ticker.nanos());
            if (!peer.gone() && state != State.CLOSED) {
                message = MessageCodec.decode(bytes);
                handle(peer, message);
            }
        } catch (MalformedMessageException e) {
            broken(peer, "sent a message that cannot be read: " + e.getMessage());
        } finally {
            lock.unlock();
        }
        if (message instanceof Parcel(byte[] content) && isMember(peer)) {
            events.arrived(peer.link().peer(), content);
        }
    }

    private boolean isMember(Peer peer) {
        lock.lock();
        try {
            return state == State.RUNNING && !peer.gone() && roster.peer(peer.link().peer()) == peer && !ending.ended();
        } finally {
            lock.unlock();
        }
    }

    private void handle(Peer peer, UnitMessage message) {
        if (message instanceof Hello hello) {
            introduced(peer, hello);
        } else if (state != State.RUNNING || roster.peer(peer.link().peer()) != peer) {
            if (!(message instanceof Goodbye)) {
                broken(peer, "spoke before it was welcome");
            }
        } else {
            switch (message) {
                case Heartbeat beat when beat.epoch() != self.epoch() ->
                    broken(peer, "is of another epoch: " + beat.epoch() + (beat.epoch() < self.epoch() ? " < " : " > ")
                            + self.epoch());
                case Heartbeat beat -> peer.last(beat);
                case Reached(Phase phase) when phase.ordinal() == peer.phase().ordinal() + 1 -> {
                    peer.phase(phase);
                    openWhatAllReached();
                }
                case Abort(UnitFailure failure) -> aborted(peer, failure);
                case Goodbye(String reason) -> departed(peer, reason);
                case Parcel parcel -> {
                }
                default -> broken(peer, "sent a message that has no place here: " + message.getClass().getSimpleName());
            }
        }
    }

    /** A rank cannot go on, or has seen that another one on its host is stopped. */
    private void aborted(Peer peer, UnitFailure failure) {
        Peer blamed = roster.peer(failure.rank());
        if (blamed == null || blamed == peer) {
            end(peer.failure(failure.reason()));
        } else {
            lose(blamed, failure.reason());
        }
    }

    /** A rank on this host is stopped. */
    private void stopped(Member member, String how) {
        lock.lock();
        try {
            Peer peer = roster.peer(member.rank());
            if (peer != null && state == State.RUNNING && !peer.gone()) {
                lose(peer, how);
            }
        } finally {
            lock.unlock();
        }
    }

    /** First the news, so that a process that only stood still learns of it when it wakes up. */
    private void lose(Peer peer, String reason) {
        end(peer.failure(progress.during(reason)));
        peer.go();
    }

    private void introduced(Peer peer, Hello hello) {
        if (peer.hello() != null) {
            broken(peer, "introduced itself twice");
            return;
        }
        peer.hello(hello);
        if (state == State.JOINING) {
            admission.consider(peer, hello, ticker.nanos());
            changed.signalAll();
        } else {
            peer.send(new Refused(false, List.of(admission.lateness(hello))));
            peer.link().close();
        }
    }

    private void departed(Peer peer, String reason) {
        peer.go();
        if (ending.stop(peer.failure("is shutting down: " + reason).message())) {
            tellAll(new Goodbye(peer.failure("is shutting down: " + reason).message()));
        }
        changed.signalAll();
    }

    /** A peer does not keep to the protocol: a member takes the unit with it, anyone else is only turned away. */
    private void broken(Peer peer, String reason) {
        if (state == State.RUNNING && roster.peer(peer.link().peer()) == peer) {
            peer.go();
            end(peer.failure(reason));
        } else {
            peer.send(new Refused(false, List.of(peer.failure(reason).message())));
        }
        peer.link().close();
    }

    void closed(Peer peer, String reason) {
        lock.lock();
        try {
            connections.remove(peer);
            if (state == State.JOINING) {
                roster.remove(peer);
            } else if (state == State.RUNNING && roster.peer(peer.link().peer()) == peer) {
                peer.go();
                end(peer.failure(progress.during("is gone: " + reason)));
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void end(UnitFailure failure) {
        if (ending.fail(failure)) {
            tellAll(new Abort(failure));
        }
        changed.signalAll();
    }

    /** To the members of a unit that runs; before, to all who have introduced themselves. */
    private void tellAll(UnitMessage message) {
        if (state == State.RUNNING) {
            Connections.tell(roster.peers(), message);
        } else {
            connections.tellAll(message);
        }
    }

    private void beat() {
        lock.lock();
        try {
            if (state != State.RUNNING) {
                return;
            }
            connections.silent().forEach(this::silent);
            tellAll(new Heartbeat(self.epoch(), roster.ownPhase(), progress.step(), progress.loadedBytes(), List.of(),
                    UnitMessage.Usage.NONE));
        } finally {
            lock.unlock();
        }
        reportLoading();
    }

    /** Tells how much has been loaded, if that has changed; without the lock. */
    private void reportLoading() {
        long loaded;
        long total;
        lock.lock();
        try {
            total = roster.weightBytes();
            loaded = opened.compareTo(Phase.LOADED) < 0 ? roster.loadedBytes() : total;
            if (opened.compareTo(Phase.LINKED) < 0 || loaded == reportedBytes) {
                return;
            }
            reportedBytes = loaded;
        } finally {
            lock.unlock();
        }
        events.loading(loaded, total);
    }

    private void silent(Peer peer) {
        if (roster.peer(peer.link().peer()) != peer) {
            peer.link().close();
        } else if (!peer.gone()) {
            lose(peer, "is silent: no sign of life for " + Wait.seconds(times.lease()) + lastSeen(peer.last()));
        }
    }

    private static String lastSeen(@Nullable Heartbeat last) {
        return last == null ? "" : "; last seen in phase " + last.phase() + " after step " + last.step();
    }

    /** Tells a line without the lock. */
    private void say(String line) {
        lock.unlock();
        try {
            events.waiting(line);
        } finally {
            lock.lock();
        }
    }

    /**
     * How the ranks are.
     *
     * @return all ranks, in order
     */
    public List<RankStatus> ranks() {
        lock.lock();
        try {
            return roster.rankStatus();
        } finally {
            lock.unlock();
        }
    }

    /**
     * How the data links are, as the ranks reported them with their last heartbeat.
     *
     * @return links by sending rank
     */
    public List<LinkStatus> links() {
        lock.lock();
        try {
            return roster.linkStatus();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Why requests cannot be taken.
     *
     * @return why the unit has ended, or which ranks are not ready yet; empty exactly if all ranks are ready
     */
    public List<String> reasons() {
        String end = ending.reason();
        return end == null ? Roster.reasons(ranks()) : List.of(end);
    }

    @Override
    public void send(int rank, byte[] content) {
        lock.lock();
        try {
            Peer peer = roster.peer(rank);
            if (peer == null) {
                throw new IllegalArgumentException("there is no rank " + rank + " to send to");
            }
            if (state == State.RUNNING && !peer.gone()) {
                peer.send(new Parcel(content));
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void lostContact(String reason) {
        if (!Wait.forEnd(ending, lock, changed, ticker)) {
            fail(reason);
        }
    }

    @Override
    public void fail(String reason) {
        lock.lock();
        try {
            end(new UnitFailure(self.rank(), self.host(), reason));
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        pulse.stop();
        neighbours.close();
        lock.lock();
        try {
            if (state != State.CLOSED) {
                if (ending.leave("rank 0 is shutting down")) {
                    boolean early = state == State.RUNNING && roster.ownPhase() != Phase.READY;
                    tellAll(early ? new Abort(Ending.early(self)) : new Goodbye(self.who() + " is shutting down"));
                }
                state = State.CLOSED;
                changed.signalAll();
                connections.farewell(changed);
            }
        } finally {
            lock.unlock();
        }
    }
}
