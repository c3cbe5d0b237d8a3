package org.maniple.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.maniple.api.transport.Tag;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.TransportException;
import org.maniple.api.transport.Wire;
import org.maniple.testkit.PretendedHosts;
import org.maniple.testkit.VirtualRanks;
import org.maniple.transport.shm.ShmTransport;
import org.maniple.transport.tcp.TcpTransport;

/** Ranks 0 and 1 share memory, rank 2 is reached by TCP. */
@Timeout(120)
class SeveralWaysTest {

    private static final long LIMIT = VirtualRanks.PATIENCE.toNanos();
    private static final long LARGE = 16 << 20;

    private static Transport transport() {
        return new ChosenPerPair(List.of(new PretendedHosts(new ShmTransport(), List.of(2, 1)), new TcpTransport()));
    }

    private static long tag(long sequence) {
        return Tag.of(Tag.Operation.TRANSFER, 0, sequence);
    }

    @Test
    void everyLinkSaysWhichWayItTakes() {
        try (var ranks = VirtualRanks.open(transport(), 3)) {
            ranks.run(wire -> {
                int rank = wire.rank();
                for (int peer = 0; peer < 3; peer++) {
                    if (peer != rank) {
                        assertThat(wire.path(peer)).matches(peer + rank == 1 ? "shm" : "tcp \\S+ \\S+");
                    }
                }
                assertThat(List.of(wire.island(0), wire.island(1), wire.island(2))).containsExactly(0, 0, 2);
            });
        }
    }

    /** Rank 0 waits for rank 1, which waits for rank 2, which waits for what rank 0 has begun to send. */
    @Test
    void whatWasBegunOnOneWayGoesOnWhileARankWaitsOnAnother() {
        try (var ranks = VirtualRanks.open(transport(), 3)) {
            ranks.run(wire -> {
                MemorySegment large = wire.allocate(LARGE);
                MemorySegment small = wire.allocate(8);
                switch (wire.rank()) {
                    case 0 -> {
                        large.set(ValueLayout.JAVA_LONG, LARGE - 8, 42);
                        Wire.Pending sending = wire.send(2, tag(0), large);
                        wire.await(wire.receive(1, tag(0), small), LIMIT);
                        assertThat(small.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(42);
                        wire.await(sending, LIMIT);
                    }
                    case 1 -> {
                        wire.await(wire.receive(2, tag(0), small), LIMIT);
                        wire.await(wire.send(0, tag(0), small), LIMIT);
                    }
                    default -> {
                        wire.await(wire.receive(0, tag(0), large), LIMIT);
                        small.set(ValueLayout.JAVA_LONG, 0, large.get(ValueLayout.JAVA_LONG, LARGE - 8));
                        wire.await(wire.send(1, tag(0), small), LIMIT);
                    }
                }
            });
        }
    }

    @Test
    void aRankThatIsSilentOnOneWayIsNamedWhileThereIsWorkOnAnother() {
        try (var ranks = VirtualRanks.open(transport(), 3)) {
            ranks.run(wire -> {
                if (wire.rank() == 0) {
                    wire.send(2, tag(0), wire.allocate(LARGE));
                    assertThatThrownBy(() -> wire.await(wire.receive(1, tag(7), wire.allocate(8)), 100_000_000))
                            .isInstanceOf(TransportException.class).hasMessageContaining("rank 1")
                            .hasMessageContaining("transfer#7");
                }
            });
        }
    }

    @Test
    void anAbortEndsWaitsOnEveryWay() {
        try (var ranks = VirtualRanks.open(transport(), 3)) {
            ranks.run(wire -> {
                if (wire.rank() == 0) {
                    Wire.Pending pending = wire.receive(1, tag(0), wire.allocate(8));
                    wire.abort("rank 7 is on fire");
                    assertThatThrownBy(() -> wire.await(pending, Long.MAX_VALUE)).hasMessageContaining("rank 7 is on fire");
                    assertThatThrownBy(() -> wire.send(2, tag(0), wire.allocate(8))).hasMessageContaining("rank 7 is on fire");
                    assertThatThrownBy(wire::progress).hasMessageContaining("rank 7 is on fire");
                }
            });
        }
    }
}
