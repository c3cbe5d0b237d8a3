package org.maniple.transport.rdma;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.maniple.api.transport.TransportException;
import org.maniple.testkit.VirtualRanks;

@Timeout(120)
class ChecksumTest {

    private static final int LARGE = 4 << 20;
    private static final int FRAMES = 10_000;

    /** It changes all the time, and so between the look for its checksum and its departure, in one frame or another. */
    @Test
    void aPayloadThatIsNotTheOneThatWasSentIsNoticed() {
        long limit = VirtualRanks.PATIENCE.toNanos();
        var over = new AtomicBoolean();
        try (var ranks = VirtualRanks.open(Backends.tcp(), 2)) {
            var failures = ranks.attempt(wire -> {
                MemorySegment memory = wire.allocate(LARGE);
                if (wire.rank() == 0) {
                    Thread.ofPlatform().daemon().start(() -> change(memory, over));
                    for (int i = 0; i < FRAMES; i++) {
                        wire.await(wire.send(1, i, memory), limit);
                    }
                } else {
                    for (int i = 0; i < FRAMES; i++) {
                        wire.await(wire.receive(0, i, memory), limit);
                    }
                }
            });
            assertThat(failures.get(1)).get().isInstanceOf(TransportException.class).asString().contains("rank 0",
                    "wrong checksum");
        } finally {
            over.set(true);
        }
    }

    private static void change(MemorySegment memory, AtomicBoolean over) {
        for (long count = 1; !over.get(); count++) {
            for (long at = 0; at < LARGE; at += Lane.PIECE) {
                memory.set(ValueLayout.JAVA_LONG, at, count);
            }
        }
    }
}
