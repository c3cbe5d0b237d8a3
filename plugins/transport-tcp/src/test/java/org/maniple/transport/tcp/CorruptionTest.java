package org.maniple.transport.tcp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.transport.Endpoint;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.TransportException;
import org.maniple.api.transport.Wire;
import org.maniple.testkit.GivenContext;
import org.maniple.testkit.VirtualRanks;

/** A bit that changes on the way never becomes data: the frame is refused, and the sender named. */
@Timeout(120)
class CorruptionTest {

    private static final long LIMIT = VirtualRanks.PATIENCE.toNanos();
    private static final int HANDSHAKE = Preface.BYTES + Proof.BYTES;
    private static final int PAYLOAD = 1_000_000;

    private static Endpoint open(int rank) {
        return new TcpTransport().open(VirtualRanks.identity(rank, 2), new Transport.Bind("localhost", 0), GivenContext.empty());
    }

    /** Rank 1 sends two frames to rank 0 through a proxy; rank 0 does something with them. */
    private static void receive(Proxy.Change change, WireUser user) throws Exception {
        try (Endpoint rank0 = open(0); Endpoint rank1 = open(1); Proxy proxy = new Proxy(rank0.address(), change)) {
            var addresses = List.of(proxy.address(), rank1.address());
            var done = new CompletableFuture<Void>();
            Thread.ofPlatform().daemon().start(() -> {
                try (Wire wire = rank1.connect(addresses, Set.of(0), VirtualRanks.PATIENCE)) {
                    MemorySegment data = wire.allocate(PAYLOAD);
                    data.fill((byte) 7);
                    wire.send(0, 1, data);
                    Wire.Pending second = wire.send(0, 2, data);
                    while (!second.done() && !done.isDone()) {
                        wire.progress();
                    }
                    done.get(VirtualRanks.PATIENCE.toSeconds(), TimeUnit.SECONDS);
                } catch (Exception e) {
                    done.completeExceptionally(e);
                }
            });
            try (Wire wire = rank0.connect(addresses, Set.of(1), VirtualRanks.PATIENCE)) {
                user.use(wire, wire.allocate(PAYLOAD));
            } finally {
                done.complete(null);
            }
        }
    }

    private interface WireUser {
        void use(Wire wire, MemorySegment memory) throws Exception;
    }

    private static Proxy.Change flip(long at) {
        return (bytes, count, offset) -> {
            if (offset <= at && at < offset + count) {
                bytes[(int) (at - offset)] ^= 0x10;
            }
        };
    }

    @Test
    void framesPassAProxyThatChangesNothing() throws Exception {
        receive((bytes, count, offset) -> {}, (wire, memory) -> {
            wire.await(wire.receive(1, 1, memory), LIMIT);
            wire.await(wire.receive(1, 2, memory), LIMIT);
            assertThat(memory.get(java.lang.foreign.ValueLayout.JAVA_BYTE, PAYLOAD - 1)).isEqualTo((byte) 7);
        });
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 5, 9, 17, 25, 33, 36, 1000, 300_000, 36 + PAYLOAD - 1, 36 + PAYLOAD, 36 + PAYLOAD + 3})
    void aFlippedBitAnywhereInAFrameIsNoticed(int at) throws Exception {
        receive(flip(HANDSHAKE + at), (wire, memory) -> {
            assertThatThrownBy(() -> wire.await(wire.receive(1, 1, memory), LIMIT))
                    .isInstanceOf(TransportException.class)
                    .hasMessageContaining("rank 1")
                    .hasMessageContaining("corrupted");
            assertThatThrownBy(() -> wire.await(wire.receive(1, 2, memory), LIMIT))
                    .isInstanceOf(TransportException.class)
                    .hasMessageContaining("corrupted");
        });
    }

    @ParameterizedTest
    @ValueSource(ints = {20, 40, 60, 170, Preface.BYTES, Preface.BYTES + 31})
    void aFlippedBitInTheHandshakeIsNoticed(int at) throws Exception {
        try (Endpoint rank0 = open(0); Endpoint rank1 = open(1); Proxy proxy = new Proxy(rank0.address(), flip(at))) {
            assertThatThrownBy(() -> rank1.dial(proxy.address(), 0, VirtualRanks.PATIENCE))
                    .isInstanceOf(TransportException.class)
                    .hasMessageContaining("does not know the unit secret");
        }
    }
}
