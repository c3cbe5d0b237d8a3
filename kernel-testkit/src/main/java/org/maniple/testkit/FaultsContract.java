package org.maniple.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.maniple.api.transport.ControlLink;
import org.maniple.api.transport.ControlTransport;
import org.maniple.api.transport.Tag;
import org.maniple.api.transport.TransportException;
import org.maniple.api.transport.Wire;

/** What every transport over a {@linkplain FaultyNetwork network} must do when that changes, loses or mixes up what is sent. */
@Timeout(240)
public abstract class FaultsContract {

    private static final int BYTES = 200_000;
    private static final int FRAMES = 4;
    private static final long LIMIT = VirtualRanks.PATIENCE.toNanos();
    /** For what never comes. */
    private static final long SHORT = Duration.ofSeconds(2).toNanos();

    /** For the test class of a transport. */
    protected FaultsContract() {}

    /**
     * The transport under test.
     *
     * @return a new one; all endpoints of a test are opened by the same
     */
    protected abstract ControlTransport transport();

    private static long tag(int frame) {
        return Tag.of(Tag.Operation.ALL_REDUCE, 3, 118L + frame);
    }

    private static byte expected(int frame, long at) {
        return (byte) (frame * 31L + at * 7 + (at >>> 8));
    }

    /** What the receiving rank has got. */
    private record Received(int frames, TransportException failure) {}

    /**
     * Rank 1, which has dialled, sends some frames after the fault has begun. Rank 0 checks every byte of what it gets, until it gets nothing more.
     */
    private Received receive(FaultyNetwork.Fault fault, long limit) throws Exception {
        var network = new FaultyNetwork(transport(), false);
        try (var ranks = VirtualRanks.open(network, 2)) {
            var begun = new CompletableFuture<Void>();
            var over = new CompletableFuture<Void>();
            Thread sender = Thread.ofPlatform().daemon().name("rank-1").start(() -> {
                try (Wire wire = ranks.port(1).connect(ranks.addresses(), Set.of(0), VirtualRanks.PATIENCE)) {
                    begun.get(VirtualRanks.PATIENCE.toSeconds(), TimeUnit.SECONDS);
                    send(wire, over);
                } catch (Exception e) {
                    begun.completeExceptionally(e);
                }
            });
            try (Wire wire = ranks.port(0).connect(ranks.addresses(), Set.of(1), VirtualRanks.PATIENCE)) {
                network.inject(fault);
                begun.complete(null);
                return receive(wire, limit);
            } finally {
                over.complete(null);
                sender.join(VirtualRanks.PATIENCE);
            }
        }
    }

    private static void send(Wire wire, CompletableFuture<Void> over) {
        for (int frame = 0; frame < FRAMES; frame++) {
            MemorySegment data = wire.allocate(BYTES);
            for (long i = 0; i < BYTES; i++) {
                data.set(ValueLayout.JAVA_BYTE, i, expected(frame, i));
            }
            wire.send(0, tag(frame), data);
        }
        while (!over.isDone()) {
            if (!wire.progress()) {
                Thread.onSpinWait();
            }
        }
    }

    private static Received receive(Wire wire, long limit) {
        MemorySegment memory = wire.allocate(BYTES);
        for (int frame = 0; frame < FRAMES; frame++) {
            try {
                wire.await(wire.receive(1, tag(frame), memory), limit);
            } catch (TransportException e) {
                return new Received(frame, e);
            }
            for (long i = 0; i < BYTES; i++) {
                assertEquals(expected(frame, i), memory.get(ValueLayout.JAVA_BYTE, i), "byte " + i + " of frame " + frame);
            }
        }
        return new Received(FRAMES, new TransportException("nothing has failed"));
    }

    @Test
    void delayedPiecesBecomeWholeFrames() throws Exception {
        assertEquals(FRAMES, receive(FaultyNetwork.delay(1, 5_000, 3), LIMIT).frames());
    }

    @Test
    void aFlippedBitNeverBecomesDataAndTheFrameIsNamed() throws Exception {
        for (long at : List.of(0L, 9L, 17L, 40L, 300L, 100_000L, BYTES + 20L, BYTES + 70L, 2L * BYTES + 5_000)) {
            Received received = receive(FaultyNetwork.corrupt(at, 0x10), LIMIT);
            assertTrue(received.frames() <= at / BYTES,
                    () -> received.frames() + " frames have come although byte " + at + " has changed");
            TransportContract.assertSays(received.failure(), "rank 1", "all_reduce#" + (118 + received.frames()), "corrupted");
        }
    }

    @Test
    void flippedBitsAtManyPlacesNeverBecomeData() throws Exception {
        var random = new SplittableRandom(3);
        for (int i = 0; i < 12; i++) {
            long at = random.nextLong((long) BYTES * FRAMES);
            Received received = receive(FaultyNetwork.corrupt(at, 1 << random.nextInt(8)), LIMIT);
            assertTrue(received.frames() < FRAMES, () -> "all frames have come although byte " + at + " has changed");
            TransportContract.assertSays(received.failure(), "rank 1");
        }
    }

    @Test
    void lostBytesNeverBecomeData() throws Exception {
        Received received = receive(FaultyNetwork.drop(70_000, 100), SHORT);
        assertEquals(0, received.frames());
        TransportContract.assertSays(received.failure(), "rank 1", "all_reduce#118");
    }

    @Test
    void bytesThatOvertakeOthersNeverBecomeData() throws Exception {
        Received received = receive(FaultyNetwork.reorder(5_000, 400), LIMIT);
        assertEquals(0, received.frames());
        TransportContract.assertSays(received.failure(), "rank 1", "all_reduce#118", "corrupted");
    }

    @Test
    void aConnectionThatIsCutIsReportedWithItsRank() throws Exception {
        Received received = receive(FaultyNetwork.cut(BYTES + 1_000), LIMIT);
        assertTrue(received.frames() <= 1);
        TransportContract.assertSays(received.failure(), "rank 1", "closed the connection");
    }

    @Test
    void aControlMessageWithAFlippedBitIsNotDeliveredAndEndsItsLink() throws Exception {
        var network = new FaultyNetwork(transport(), false);
        try (var ranks = VirtualRanks.open(network, 2)) {
            var heard = new RecordedLink();
            ranks.endpoint(0).accept(link -> link.start(heard));
            ControlLink link = ranks.endpoint(1).dial(ranks.addresses().getFirst(), 0, VirtualRanks.PATIENCE);
            link.send(new byte[] {'a'});
            assertEquals("message a", heard.next());
            network.inject(FaultyNetwork.corrupt(24, 0x10));
            link.send(new byte[] {'b'});
            String next = heard.next();
            assertTrue(next.startsWith("closed rank 1") && next.contains("corrupted"), next);
        }
    }

    @Test
    void aLinkThatIsCutWhileItIsMadeIsTriedAgain() throws Exception {
        var network = new FaultyNetwork(transport(), true);
        network.inject(FaultyNetwork.cut(50));
        try (var ranks = VirtualRanks.open(network, 2)) {
            assertThrows(TransportException.class,
                    () -> ranks.endpoint(1).dial(ranks.addresses().getFirst(), 0, Duration.ofMillis(300)));
            network.inject(FaultyNetwork.none());
            ranks.endpoint(1).dial(ranks.addresses().getFirst(), 0, VirtualRanks.PATIENCE).close();
        }
    }
}
