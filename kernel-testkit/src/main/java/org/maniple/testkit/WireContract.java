package org.maniple.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.maniple.testkit.TransportContract.assertSays;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.maniple.api.transport.Tag;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.TransportException;
import org.maniple.api.transport.Wire;

/** What every transport must do with the data of steps. */
@Timeout(120)
public abstract class WireContract {

    private static final long LIMIT = VirtualRanks.PATIENCE.toNanos();
    private static final long SHORT = 50_000_000;
    private static final int LARGE = 16 << 20;
    private static final int WARM = 3000;
    private static final int COUNTED = 1000;

    /** For the test class of a transport. */
    protected WireContract() {}

    /**
     * The transport under test.
     *
     * @return a new one; all endpoints of a test are opened by the same
     */
    protected abstract Transport transport();

    /**
     * Whether frames are moved without allocating on the heap; a transport that cannot do so on every platform says so here.
     *
     * @return true unless overridden
     */
    protected boolean allocatesNothing() {
        return true;
    }

    private void run(VirtualRanks.Body body) {
        try (var ranks = VirtualRanks.open(transport(), 2)) {
            ranks.run(body);
        }
    }

    private List<Optional<Throwable>> attempt(VirtualRanks.Body body) {
        try (var ranks = VirtualRanks.open(transport(), 2)) {
            return ranks.attempt(body);
        }
    }

    private static long tag(long sequence) {
        return Tag.of(Tag.Operation.TRANSFER, 0, sequence);
    }

    private static void fill(MemorySegment memory, long seed) {
        for (long i = 0; i < memory.byteSize(); i++) {
            memory.set(ValueLayout.JAVA_BYTE, i, (byte) (seed * 31 + i * 7 + (i >>> 8)));
        }
    }

    private static void assertFilled(MemorySegment memory, long seed) {
        MemorySegment expected = Arena.ofAuto().allocate(Math.max(1, memory.byteSize())).asSlice(0, memory.byteSize());
        fill(expected, seed);
        assertEquals(-1, expected.mismatch(memory), () -> "a frame of " + memory.byteSize() + " bytes has changed on the way");
    }

    @Test
    void framesOfAllSizesArriveUnchanged() {
        var random = new SplittableRandom(7);
        var sizes = new ArrayList<>(
                List.of(0, 1, 3, 4, 63, 64, 4095, 4096, 16383, 16384, 16385, 65536, 262143, 262144, 262145, 1_000_000));
        for (int i = 0; i < 60; i++) {
            sizes.add(random.nextInt(1 << random.nextInt(1, 20)));
        }
        run(wire -> {
            for (int i = 0; i < sizes.size(); i++) {
                MemorySegment memory = wire.allocate(sizes.get(i));
                if (wire.rank() == 0) {
                    fill(memory, i);
                    wire.await(wire.send(1, tag(i), memory), LIMIT);
                    memory.fill((byte) 0);
                    wire.await(wire.receive(1, tag(i), memory), LIMIT);
                } else {
                    Wire.Pending receiving = wire.receive(0, tag(i), memory);
                    wire.await(receiving, LIMIT);
                    assertEquals(sizes.get(i).longValue(), receiving.bytes());
                    wire.await(wire.send(0, tag(i), memory), LIMIT);
                }
                assertFilled(memory, i);
            }
        });
    }

    @Test
    void framesMayBeSentFromAndReceivedIntoAnyNativeMemory() {
        run(wire -> {
            try (Arena arena = Arena.ofShared()) {
                MemorySegment memory = arena.allocate(1001).asSlice(1);
                if (wire.rank() == 0) {
                    fill(memory, 1);
                    wire.await(wire.send(1, tag(0), memory), LIMIT);
                } else {
                    wire.await(wire.receive(0, tag(0), memory), LIMIT);
                    assertFilled(memory, 1);
                }
            }
        });
    }

    @Test
    void largeFramesMoveInBothDirectionsAtOnce() {
        run(wire -> {
            int peer = 1 - wire.rank();
            MemorySegment mine = wire.allocate(LARGE);
            MemorySegment theirs = wire.allocate(LARGE);
            fill(mine, wire.rank());
            Wire.Pending sending = wire.send(peer, tag(0), mine);
            Wire.Pending receiving = wire.receive(peer, tag(0), theirs);
            wire.await(sending, LIMIT);
            wire.await(receiving, LIMIT);
            assertFilled(theirs, peer);
        });
    }

    @Test
    void manyFramesCanBeUnderWayAndKeepTheirOrder() {
        int frames = 700;
        run(wire -> {
            int peer = 1 - wire.rank();
            var pending = new ArrayList<Wire.Pending>();
            var received = new ArrayList<MemorySegment>();
            for (int i = 0; i < frames; i++) {
                MemorySegment out = wire.allocate(1 + i % 97 * 13);
                fill(out, i);
                pending.add(wire.send(peer, tag(i), out));
            }
            for (int i = 0; i < frames; i++) {
                received.add(wire.allocate(1 + i % 97 * 13));
                pending.add(wire.receive(peer, tag(i), received.get(i)));
            }
            for (int i = pending.size() - 1; i >= 0; i--) {
                wire.await(pending.get(i), LIMIT);
            }
            for (int i = 0; i < frames; i++) {
                assertFilled(received.get(i), i);
            }
        });
    }

    @Test
    void aSenderThatIsFarAheadIsHeldUpWithoutLoss() {
        int frames = 6000;
        var ahead = new CountDownLatch(1);
        run(wire -> {
            MemorySegment memory = wire.allocate(4000);
            if (wire.rank() == 0) {
                fill(memory, 9);
                var sent = new ArrayList<Wire.Pending>();
                for (int i = 0; i < frames; i++) {
                    sent.add(wire.send(1, tag(i), memory));
                }
                ahead.countDown();
                for (Wire.Pending pending : sent) {
                    wire.await(pending, LIMIT);
                }
            } else {
                ahead.await();
                for (int i = 0; i < frames; i++) {
                    memory.fill((byte) 0);
                    wire.await(wire.receive(0, tag(i), memory), LIMIT);
                    assertFilled(memory, 9);
                }
            }
        });
    }

    @Test
    void aReceiverThatDoesNotKnowTheSizeIsTold() {
        run(wire -> {
            if (wire.rank() == 0) {
                wire.await(wire.send(1, tag(0), wire.allocate(100)), LIMIT);
                wire.await(wire.send(1, tag(1), wire.allocate(0)), LIMIT);
            } else {
                MemorySegment room = wire.allocate(50_000);
                Wire.Pending some = wire.receiveUpTo(0, tag(0), room);
                wire.await(some, LIMIT);
                assertEquals(100, some.bytes());
                Wire.Pending none = wire.receiveUpTo(0, tag(1), room);
                wire.await(none, LIMIT);
                assertEquals(0, none.bytes());
            }
        });
    }

    @Test
    void differentTagsAreAnErrorThatNamesBoth() {
        var failures = attempt(wire -> {
            MemorySegment memory = wire.allocate(16);
            Wire.Pending pending = wire.rank() == 0
                    ? wire.send(1, Tag.of(Tag.Operation.ALL_REDUCE, 3, 8), memory)
                    : wire.receive(0, Tag.of(Tag.Operation.ALL_GATHER, 3, 9), memory);
            wire.await(pending, LIMIT);
        });
        assertSays(failures.get(1).orElseThrow(), "rank 0", "all_reduce#8 of group 3", "all_gather#9 of group 3");
    }

    @Test
    void differentSizesAreAnErrorThatNamesBoth() {
        var failures = attempt(wire -> {
            Wire.Pending pending = wire.rank() == 0
                    ? wire.send(1, tag(0), wire.allocate(400))
                    : wire.receive(0, tag(0), wire.allocate(404));
            wire.await(pending, LIMIT);
        });
        assertSays(failures.get(1).orElseThrow(), "rank 0", "400 bytes", "404 bytes");
    }

    @Test
    void aFrameThatIsLargerThanThereIsRoomIsAnErrorThatNamesBoth() {
        var failures = attempt(wire -> {
            Wire.Pending pending = wire.rank() == 0
                    ? wire.send(1, tag(0), wire.allocate(401))
                    : wire.receiveUpTo(0, tag(0), wire.allocate(400));
            wire.await(pending, LIMIT);
        });
        assertSays(failures.get(1).orElseThrow(), "rank 0", "401 bytes", "at most 400 bytes");
    }

    @Test
    void anAbortEndsAWaitAndTheFirstReasonStays() {
        var waiting = new AtomicReference<Wire>();
        var begun = new CountDownLatch(1);
        Thread aborter = Thread.ofPlatform().start(() -> {
            try {
                begun.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            waiting.get().abort("rank 7 is on fire");
            waiting.get().abort("something else");
        });
        run(wire -> {
            if (wire.rank() == 0) {
                Wire.Pending pending = wire.receive(1, tag(0), wire.allocate(4));
                waiting.set(wire);
                begun.countDown();
                assertSays(assertThrows(TransportException.class, () -> wire.await(pending, Long.MAX_VALUE)),
                        "rank 7 is on fire");
                aborter.join();
                assertSays(assertThrows(TransportException.class, () -> wire.send(1, tag(0), wire.allocate(4))),
                        "rank 7 is on fire");
                assertSays(assertThrows(TransportException.class, wire::progress), "rank 7 is on fire");
            }
        });
    }

    @Test
    void aSilentPeerIsNamedWhenTheLimitIsOver() {
        run(wire -> {
            if (wire.rank() == 0) {
                Wire.Pending pending = wire.receive(1, Tag.of(Tag.Operation.BARRIER, 2, 5), wire.allocate(4));
                assertSays(assertThrows(TransportException.class, () -> wire.await(pending, SHORT)), "rank 1",
                        "barrier#5 of group 2");
            }
        });
    }

    @Test
    void aPeerThatGoesAwayEndsPendingAndFutureCalls() {
        var failures = attempt(wire -> {
            if (wire.rank() == 1) {
                throw new IllegalStateException("gone");
            }
            Wire.Pending pending = wire.receive(1, tag(0), wire.allocate(4));
            assertSays(assertThrows(TransportException.class, () -> wire.await(pending, LIMIT)), "rank 1",
                    "closed the connection");
            assertSays(assertThrows(TransportException.class, () -> wire.await(wire.receive(1, tag(1), wire.allocate(4)), LIMIT)),
                    "rank 1", "closed the connection");
            assertSays(assertThrows(TransportException.class, () -> wire.send(1, tag(0), wire.allocate(4))),
                    "closed the connection");
        });
        assertTrue(failures.get(0).isEmpty(), failures::toString);
    }

    @Test
    void whatWasSentBeforeAPeerWentAwayIsReceived() {
        var failures = attempt(wire -> {
            MemorySegment memory = wire.allocate(3000);
            if (wire.rank() == 1) {
                fill(memory, 5);
                wire.await(wire.send(0, tag(0), memory), LIMIT);
                throw new IllegalStateException("gone");
            }
            wire.await(wire.receive(1, tag(0), memory), LIMIT);
            assertFilled(memory, 5);
        });
        assertTrue(failures.get(0).isEmpty(), failures::toString);
    }

    @Test
    void aClosedWireFailsInsteadOfCrashing() {
        run(wire -> {
            MemorySegment memory = wire.allocate(16);
            wire.close();
            wire.close();
            assertThrows(TransportException.class, () -> wire.send(1 - wire.rank(), tag(0), memory));
            assertThrows(TransportException.class, wire::progress);
        });
    }

    @Test
    void aRankWithoutALinkIsAMistakeOfTheCaller() {
        run(wire -> {
            assertSays(assertThrows(IllegalArgumentException.class, () -> wire.send(5, tag(0), wire.allocate(1))), "rank 5");
            assertSays(assertThrows(IllegalArgumentException.class, () -> wire.path(wire.rank())), "rank " + wire.rank());
        });
    }

    @Test
    void memoryIsZeroedAndAligned() {
        run(wire -> {
            for (long bytes : new long[] {0, 1, 100, 70_000}) {
                MemorySegment memory = wire.allocate(bytes);
                assertEquals(bytes, memory.byteSize());
                assertEquals(0, memory.address() % 64);
                assertEquals(-1, memory.mismatch(MemorySegment.ofArray(new byte[(int) bytes])));
            }
        });
    }

    @Test
    void waitingForASilentPeerIsMeasuredOrNotAtAll() {
        run(wire -> {
            if (wire.rank() == 0) {
                Wire.Pending answer = wire.receive(1, tag(0), wire.allocate(8));
                wire.await(wire.send(1, tag(0), wire.allocate(8)), LIMIT);
                wire.await(answer, LIMIT);
                long waited = wire.waitedNanos();
                assertTrue(waited == 0 || waited > SHORT / 4, () -> "waited " + waited + " ns for a peer that took longer");
            } else {
                wire.await(wire.receive(0, tag(0), wire.allocate(8)), LIMIT);
                pause(SHORT);
                wire.await(wire.send(0, tag(0), wire.allocate(8)), LIMIT);
            }
        });
    }

    private static void pause(long nanos) {
        long end = System.nanoTime() + nanos;
        while (System.nanoTime() < end) {
            Thread.onSpinWait();
        }
    }

    @Test
    void bytesAreCountedInBothDirections() {
        run(wire -> {
            int peer = 1 - wire.rank();
            Wire.Pending receiving = wire.receive(peer, tag(0), wire.allocate(50_000));
            wire.await(wire.send(peer, tag(0), wire.allocate(50_000)), LIMIT);
            wire.await(receiving, LIMIT);
            assertTrue(wire.sentBytes(peer) >= 50_000 && wire.sentBytes(peer) < 51_000, () -> "sent " + wire.sentBytes(peer));
            assertTrue(wire.receivedBytes(peer) >= 50_000 && wire.receivedBytes(peer) < 51_000,
                    () -> "received " + wire.receivedBytes(peer));
            assertFalse(wire.path(peer).isBlank());
        });
    }

    @Test
    void aWarmWireAllocatesNothingOnTheHeap() {
        run(wire -> {
            int peer = 1 - wire.rank();
            MemorySegment out = wire.allocate(4096);
            MemorySegment in = wire.allocate(4096);
            exchange(wire, peer, out, in, 0, WARM);
            var from = new AtomicInteger(WARM);
            long allocated = Allocation.leastOf(() -> {
                int first = from.getAndAdd(COUNTED);
                exchange(wire, peer, out, in, first, first + COUNTED);
            });
            assertTrue(!allocatesNothing() || allocated < 16L * COUNTED,
                    () -> COUNTED + " frames allocate " + allocated + " bytes or more");
        });
    }

    private static void exchange(Wire wire, int peer, MemorySegment out, MemorySegment in, int from, int to) {
        for (int i = from; i < to; i++) {
            Wire.Pending receiving = wire.receive(peer, tag(i), in);
            Wire.Pending sending = wire.send(peer, tag(i), out);
            wire.await(receiving, LIMIT);
            wire.await(sending, LIMIT);
        }
    }
}
