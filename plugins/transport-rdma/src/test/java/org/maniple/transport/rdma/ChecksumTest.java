package org.maniple.transport.rdma;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.maniple.api.transport.TransportException;
import org.maniple.api.transport.Wire;
import org.maniple.testkit.VirtualRanks;

@Timeout(120)
class ChecksumTest {

    private static final int LARGE = 4 << 20;

    @Test
    void aPayloadThatIsNotTheOneThatWasSentIsNoticed() {
        long limit = VirtualRanks.PATIENCE.toNanos();
        var changed = new CountDownLatch(1);
        try (var ranks = VirtualRanks.open(Backends.tcp(), 2)) {
            var failures = ranks.attempt(wire -> {
                MemorySegment memory = wire.allocate(LARGE);
                if (wire.rank() == 0) {
                    Wire.Pending sending = wire.send(1, 0, memory);
                    // The checksum of the first pieces is known, but not all of them can have left.
                    memory.fill((byte) 1);
                    changed.countDown();
                    wire.await(sending, limit);
                } else {
                    changed.await();
                    wire.await(wire.receive(0, 0, memory), limit);
                }
            });
            assertThat(failures.get(1)).get().isInstanceOf(TransportException.class).asString().contains("rank 0",
                    "wrong checksum");
        }
    }
}
