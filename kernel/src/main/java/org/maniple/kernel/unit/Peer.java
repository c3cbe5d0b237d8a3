package org.maniple.kernel.unit;

import org.jspecify.annotations.Nullable;
import org.maniple.api.transport.ControlLink;
import org.maniple.kernel.unit.UnitMessage.Heartbeat;

/** A rank as rank 0 sees it. Guarded by the lock of the leader. */
final class Peer implements ControlLink.Listener {

    private final UnitLeader leader;
    private final ControlLink link;
    private @Nullable Hello hello;
    private @Nullable Heartbeat last;
    private Phase phase = Phase.JOINED;
    private long heard;
    private boolean gone;

    Peer(UnitLeader leader, ControlLink link, long since) {
        this.leader = leader;
        this.link = link;
        this.heard = since;
    }

    @Override
    public void message(byte[] message) {
        leader.received(this, message);
    }

    @Override
    public void closed(String reason) {
        leader.closed(this, reason);
    }

    void send(UnitMessage message) {
        link.send(MessageCodec.encode(message));
    }

    ControlLink link() {
        return link;
    }

    @Nullable
    Hello hello() {
        return hello;
    }

    void hello(Hello introduction) {
        hello = introduction;
    }

    Phase phase() {
        return phase;
    }

    void phase(Phase reached) {
        phase = reached;
    }

    /** When the last sign of life came. */
    long heard() {
        return heard;
    }

    void heard(long now) {
        heard = now;
    }

    @Nullable
    Heartbeat last() {
        return last;
    }

    void last(Heartbeat beat) {
        last = beat;
    }

    long loadedBytes() {
        return last == null ? 0 : last.loadedBytes();
    }

    boolean gone() {
        return gone;
    }

    void go() {
        gone = true;
    }

    UnitFailure failure(String reason) {
        Hello known = hello;
        return new UnitFailure(link.peer(), known == null ? link.peerAddress() : known.host(), reason);
    }
}
