package org.maniple.kernel.unit;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
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

/** The part of every rank but rank 0: it asks to be admitted, and watches over rank 0. */
public final class UnitFollower implements Membership {

    /** By how much this rank is more patient than rank 0, which knows better who is missing. */
    private static final Duration MARGIN = Duration.ofSeconds(5);

    private final Endpoint endpoint;
    private final String leaderAddress;
    private final Hello self;
    private final UnitTimes times;
    private final RankProgress progress;
    private final UnitEvents events;
    private final Ticker ticker;
    private final Ending ending;
    private final Pulse pulse;
    private final Neighbours neighbours;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private @Nullable ControlLink link;
    private @Nullable RuntimeException dialFailure;
    private @Nullable Refused refused;
    private @Nullable Welcome welcome;
    private Phase phase = Phase.JOINED;
    private Phase opened = Phase.JOINED;
    private boolean closed;
    private long heard;
    private long lastBeat;

    /**
     * A follower that has not begun yet.
     *
     * @param endpoint this rank's end of the transport; closed by the caller, after this
     * @param leaderAddress where rank 0 is reached
     * @param self what this rank says about itself
     * @param times limits
     * @param progress how far this rank is
     * @param events what this rank is told
     * @param ticker the time
     */
    public UnitFollower(
            Endpoint endpoint,
            String leaderAddress,
            Hello self,
            UnitTimes times,
            RankProgress progress,
            UnitEvents events,
            Ticker ticker) {
        this.endpoint = endpoint;
        this.leaderAddress = leaderAddress;
        this.self = self;
        this.times = times;
        this.progress = progress;
        this.events = events;
        this.ticker = ticker;
        this.ending = new Ending(events);
        this.neighbours = new Neighbours(self.rank());
        this.pulse = new Pulse(ticker, times.heartbeat(), this::beat, this::fail);
    }

    @Override
    public List<Member> join() {
        Thread.ofPlatform().name("unit-dial").daemon(true).start(this::dial);
        lock.lock();
        try {
            awaitLink();
            Welcome complete = awaitWelcome();
            heard = ticker.nanos();
            lastBeat = heard;
            pulse.start();
            neighbours.watch(complete.members(), this::stopped);
            return complete.members();
        } catch (RuntimeException e) {
            hangUp();
            throw e;
        } finally {
            lock.unlock();
        }
    }

    private void dial() {
        try {
            ControlLink dialled = endpoint.dial(leaderAddress, 0, times.joinLimit());
            lock.lock();
            try {
                if (closed) {
                    dialled.close();
                    return;
                }
                link = dialled;
                dialled.start(new Listener());
                dialled.send(MessageCodec.encode(self));
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        } catch (RuntimeException e) {
            lock.lock();
            try {
                dialFailure = e;
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    private void awaitLink() {
        Wait wait = new Wait(ticker, times.joinLimit(), times.noticeEvery());
        while (link == null) {
            RuntimeException failure = dialFailure;
            if (failure != null && !wait.nearlyOver()) {
                // Not a matter of patience: the transport says why.
                throw failure;
            }
            if (failure != null || wait.over()) {
                throw unreachable(wait, failure);
            }
            if (wait.noticeDue()) {
                say("waiting for head " + leaderAddress + " (" + wait.elapsedText() + ")");
            } else {
                wait.await(changed);
            }
        }
    }

    private UnitFailedException unreachable(Wait wait, @Nullable RuntimeException cause) {
        String message = self.who() + " gave up after " + wait.limitText() + ": rank 0 did not answer at " + leaderAddress
                + "; start it there (if every node is --headless, start one without it), or correct the address";
        return cause == null
                ? new UnitFailedException(message)
                : new UnitFailedException(message + "; " + cause.getMessage(), cause);
    }

    private Welcome awaitWelcome() {
        Wait wait = new Wait(ticker, times.joinLimit().plus(MARGIN), times.noticeEvery());
        while (true) {
            Welcome complete = welcome;
            Refused refusal = refused;
            if (refusal != null) {
                throw new UnitRefusedException(refusal.reasons(), refusal.configuration());
            }
            ending.check();
            if (complete != null) {
                return complete;
            }
            if (wait.over()) {
                throw new UnitFailedException("rank 0 at " + leaderAddress + " has not said within " + wait.limitText()
                        + " that all ranks are there; see what rank 0 says");
            }
            if (wait.noticeDue()) {
                say("connected to rank 0 at " + leaderAddress + "; it waits for other ranks (" + wait.elapsedText() + ")");
            } else {
                wait.await(changed);
            }
        }
    }

    @Override
    public void reach(Phase next, Duration limit) {
        lock.lock();
        try {
            UnitLeader.requireNext(phase, next);
            if (next == Phase.READY) {
                sendBeat(); // so that rank 0 knows what this rank uses when it says that all are there
            }
            phase = next;
            send(new Reached(next));
            Wait wait = new Wait(ticker, limit.plus(MARGIN), times.noticeEvery());
            while (opened.compareTo(next) < 0) {
                ending.check();
                if (wait.over()) {
                    end(leaderFailure(
                            "has not said within " + wait.limitText() + " that all ranks are through to " + next.verb()));
                } else if (wait.noticeDue()) {
                    say("waiting for all ranks to " + next.verb() + " (" + wait.elapsedText() + ")");
                } else {
                    wait.await(changed);
                }
            }
            ending.check();
        } finally {
            lock.unlock();
        }
    }

    private void handle(UnitMessage message) {
        switch (message) {
            case Welcome complete when welcome == null && complete.epoch() == self.epoch() -> welcome = complete;
            case Refused refusal when welcome == null -> refused = refusal;
            case Refused refusal -> end(leaderFailure("turned this rank away: " + String.join("; ", refusal.reasons())));
            case Heartbeat beat when beat.epoch() == self.epoch() -> {
            }
            case Heartbeat beat -> end(leaderFailure("is of epoch " + beat.epoch() + ", this rank of epoch " + self.epoch()));
            case Opened(Phase all) when all.ordinal() == opened.ordinal() + 1 && all.compareTo(phase) <= 0 -> opened = all;
            case Abort(UnitFailure failure) -> end(failure);
            case Parcel parcel when welcome != null -> {
            }
            case Goodbye(String reason) when welcome == null -> ending.leave(reason);
            case Goodbye(String reason) -> {
                ending.stop(reason);
                hangUp();
            }
            default -> end(leaderFailure("sent a message that has no place here: " + message.getClass().getSimpleName()));
        }
        changed.signalAll();
    }

    /** Before the welcome, join() itself fails and nobody is called back. */
    private void end(UnitFailure failure) {
        if (welcome == null) {
            ending.leave(failure.message());
        } else {
            ending.fail(failure);
        }
        changed.signalAll();
    }

    /** Another rank on this host is stopped. Rank 0 hears of it if it still can; its own control link will not tell it soon. */
    private void stopped(Member member, String how) {
        lock.lock();
        try {
            if (member.rank() == 0) {
                end(leaderFailure(progress.during(how)));
            } else if (!closed) {
                send(new Abort(new UnitFailure(member.rank(), member.host(), how)));
            }
        } finally {
            lock.unlock();
        }
    }

    private UnitFailure leaderFailure(String reason) {
        Welcome known = welcome;
        return new UnitFailure(0, known == null || known.members().isEmpty() ? leaderAddress : known.members().getFirst().host(),
                reason);
    }

    private void beat() {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            long now = ticker.nanos();
            // Silence of rank 0 while this process itself stood still says nothing about it.
            if (now - lastBeat > times.lease().toNanos() / 2) {
                heard = now;
            }
            lastBeat = now;
            if (now - heard > times.lease().toNanos()) {
                end(leaderFailure("is silent: no sign of life for " + Wait.seconds(times.lease())));
            }
            sendBeat();
        } finally {
            lock.unlock();
        }
    }

    private void sendBeat() {
        send(new Heartbeat(self.epoch(), phase, progress.step(), progress.loadedBytes(), progress.links(), progress.usage()));
    }

    private void send(UnitMessage message) {
        ControlLink open = link;
        if (open != null) {
            open.send(MessageCodec.encode(message));
        }
    }

    private void hangUp() {
        closed = true;
        ControlLink open = link;
        if (open != null) {
            open.close();
        }
    }

    private void say(String line) {
        lock.unlock();
        try {
            events.waiting(line);
        } finally {
            lock.lock();
        }
    }

    @Override
    public void send(int rank, byte[] content) {
        if (rank != 0) {
            throw new IllegalArgumentException("rank " + self.rank() + " can send to rank 0 only, not to rank " + rank);
        }
        lock.lock();
        try {
            if (welcome != null && !closed) {
                send(new Parcel(content));
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
            UnitFailure failure = new UnitFailure(self.rank(), self.host(), reason);
            if (ending.fail(failure)) {
                send(new Abort(failure));
            }
            changed.signalAll();
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
            if (ending.leave(self.who() + " is shutting down")) {
                boolean early = welcome != null && phase != Phase.READY;
                send(early ? new Abort(Ending.early(self)) : new Goodbye("it was asked to"));
            }
            hangUp();
        } finally {
            lock.unlock();
        }
    }

    private final class Listener implements ControlLink.Listener {
        @Override
        public void message(byte[] bytes) {
            UnitMessage message = null;
            lock.lock();
            try {
                heard = ticker.nanos();
                message = MessageCodec.decode(bytes);
                handle(message);
            } catch (MalformedMessageException e) {
                end(leaderFailure("sent a message that cannot be read: " + e.getMessage()));
            } finally {
                lock.unlock();
            }
            if (message instanceof Parcel(byte[] content) && !ending.ended()) {
                events.arrived(0, content);
            }
        }

        @Override
        public void closed(String reason) {
            lock.lock();
            try {
                if (refused == null) {
                    end(leaderFailure(progress.during("is gone: " + reason)));
                }
            } finally {
                lock.unlock();
            }
        }
    }
}
