package org.maniple.it;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.maniple.api.PluginContext;
import org.maniple.api.transport.Port;
import org.maniple.api.transport.Tag;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.Window;
import org.maniple.api.transport.Wire;

/**
 * A transport whose buffers are always full: what goes to the next stage leaves only once its sender has looked after it some times, or waits.
 *
 * @param inner carries the frames
 * @param left counts those of rank 0 that have left while it did something else
 * @param waited counts those of rank 0 for which it had to wait; later stages do so in their own time
 */
record SlowSends(Transport inner, AtomicInteger left, AtomicInteger waited) implements Transport {

    private static final int LOOKS = 3;

    @Override
    public String name() {
        return inner.name();
    }

    @Override
    public Port open(Identity identity, Bind bind, PluginContext context) {
        Port port = inner.open(identity, bind, context);
        return new Port() {
            @Override
            public String address() {
                return port.address();
            }

            @Override
            public Wire connect(List<String> addresses, Set<Integer> peers, Duration limit) {
                return new SlowWire(port.connect(addresses, peers, limit));
            }

            @Override
            public void close() {
                port.close();
            }
        };
    }

    /** A frame that may not have left yet. */
    private static final class Held implements Wire.Pending {
        private final int peer;
        private final long tag;
        private final MemorySegment data;
        private Wire.@Nullable Pending sent;
        private int looks;

        Held(int peer, long tag, MemorySegment data) {
            this.peer = peer;
            this.tag = tag;
            this.data = data;
        }

        @Override
        public boolean done() {
            Wire.Pending frame = sent;
            return frame != null && frame.done();
        }

        @Override
        public long bytes() {
            return data.byteSize();
        }
    }

    private final class SlowWire implements Wire {
        private final Wire wire;
        /** In order, since frames do not overtake each other. */
        private final Queue<Held> held = new ArrayDeque<>();

        SlowWire(Wire wire) {
            this.wire = wire;
        }

        private void release(AtomicInteger counter) {
            for (Held frame = held.poll(); frame != null; frame = held.poll()) {
                counter.addAndGet(wire.rank() == 0 && transfer(frame.tag) ? 1 : 0);
                frame.sent = wire.send(frame.peer, frame.tag, frame.data);
            }
        }

        private static boolean transfer(long tag) {
            return Tag.describe(tag).startsWith("transfer#");
        }

        @Override
        public Pending send(int peer, long tag, MemorySegment data) {
            if (held.isEmpty() && !transfer(tag)) {
                return wire.send(peer, tag, data);
            }
            var frame = new Held(peer, tag, data);
            held.add(frame);
            return frame;
        }

        @Override
        public boolean progress() {
            Held frame = held.peek();
            if (frame != null && ++frame.looks == LOOKS) {
                release(left);
            }
            return wire.progress();
        }

        @Override
        public void await(Pending pending, long limitNanos) {
            release(waited);
            wire.await(inner(pending), limitNanos);
        }

        @Override
        public boolean linger(Pending pending, long nanos) {
            release(waited);
            return wire.linger(inner(pending), nanos);
        }

        private static Pending inner(Pending pending) {
            return pending instanceof Held frame ? Objects.requireNonNull(frame.sent) : pending;
        }

        @Override
        public int rank() {
            return wire.rank();
        }

        @Override
        public MemorySegment allocate(long bytes) {
            return wire.allocate(bytes);
        }

        @Override
        public Pending receive(int peer, long tag, MemorySegment into) {
            return wire.receive(peer, tag, into);
        }

        @Override
        public Pending receiveUpTo(int peer, long tag, MemorySegment into) {
            return wire.receiveUpTo(peer, tag, into);
        }

        @Override
        public int island(int anyRank) {
            return wire.island(anyRank);
        }

        @Override
        public Optional<Window> window(int id, List<Integer> ranks) {
            return wire.window(id, ranks);
        }

        @Override
        public void abort(String reason) {
            wire.abort(reason);
        }

        @Override
        public long sentBytes(int peer) {
            return wire.sentBytes(peer);
        }

        @Override
        public long receivedBytes(int peer) {
            return wire.receivedBytes(peer);
        }

        @Override
        public String path(int peer) {
            return wire.path(peer);
        }

        @Override
        public void close() {
            wire.close();
        }
    }
}
