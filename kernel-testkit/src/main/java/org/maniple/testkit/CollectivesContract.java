package org.maniple.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.maniple.testkit.TransportContract.assertSays;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.maniple.api.collective.Collectives;
import org.maniple.api.collective.Communicator;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.TransportException;
import org.maniple.api.transport.Wire;

/**
 * What every kind of collective operations must do, compared with naive computations on what every rank contributes. With
 * {@code -Dmaniple.units=all} large operations run on all sizes of groups, too.
 */
@Timeout(300)
public abstract class CollectivesContract {

    private static final long SHORT = 200_000_000;
    private static final int MAX_RANKS = 9;
    private static final int ROUNDS = 20;
    private static final boolean ALL = System.getProperty("maniple.units", "").equals("all");
    private static final int MANY_FLOATS = 4 << 20;
    private static final List<Integer> SIZES = List.of(0, 1, 2, 17, 1024, 4097, 16_384, 16_385, 100_000);

    /** For the test class of an implementation. */
    protected CollectivesContract() {}

    /**
     * The collectives under test.
     *
     * @return new ones
     */
    protected abstract Collectives collectives();

    /**
     * What they run on.
     *
     * @return a new transport
     */
    protected abstract Transport transport();

    /**
     * The largest group, unless all are asked for by {@code -Dmaniple.units=all}.
     *
     * @return 9; less where connecting takes long
     */
    protected int mostRanks() {
        return MAX_RANKS;
    }

    /** What a rank does in a group of all ranks. */
    @FunctionalInterface
    private interface Body {
        void run(Wire wire, Communicator communicator, Communicator.Group all) throws Exception;
    }

    private void run(int ranks, Body body) {
        try (var virtual = VirtualRanks.open(transport(), ranks)) {
            virtual.run(wire -> {
                Communicator communicator = open(wire, VirtualRanks.PATIENCE.toNanos());
                body.run(wire, communicator, communicator.group(1, IntStream.range(0, ranks).boxed().toList()));
            });
        }
    }

    private Communicator open(Wire wire, long limit) {
        return collectives().open(wire, limit, GivenContext.empty());
    }

    /** What a rank contributes: numbers of very different sizes, so that every other order of summation shows. */
    private static float value(int rank, long round, int index) {
        long mixed = (rank * 1_000_003L + round * 7919 + index) * 0x9E3779B97F4A7C15L;
        mixed = (mixed ^ mixed >>> 29) * 0xBF58476D1CE4E5B9L;
        return Math.scalb((mixed >> 40) * 0x1p-23f, (int) (mixed >>> 3 & 15) - 8);
    }

    private static float tree(int from, int to, long round, int index) {
        if (to - from == 1) {
            return value(from, round, index);
        }
        int left = 1;
        while (2 * left < to - from) {
            left *= 2;
        }
        return tree(from, from + left, round, index) + tree(from + left, to, round, index);
    }

    private static MemorySegment values(Wire wire, long round, int count) {
        MemorySegment memory = wire.allocate(4L * count);
        for (int i = 0; i < count; i++) {
            memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, value(wire.rank(), round, i));
        }
        return memory;
    }

    private static void assertSum(Communicator communicator, MemorySegment sums, int ranks, long round, int first) {
        int count = (int) (sums.byteSize() / 4);
        for (int i = 0; i < count; i++) {
            float expected = tree(0, ranks, round, first + i);
            float actual = sums.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            if (communicator.keepsTree()) {
                assertEquals(Float.floatToRawIntBits(expected), Float.floatToRawIntBits(actual), "sum " + i + " of " + count);
            } else {
                assertEquals(expected, actual, Math.abs(expected) * 1e-4f + 1e-2f, "sum " + i + " of " + count);
            }
        }
    }

    private static int size(SplittableRandom random, int round) {
        return round < SIZES.size() ? SIZES.get(round) : random.nextInt(1 << random.nextInt(1, 17));
    }

    private static int[] parts(SplittableRandom random, int count, int ranks) {
        int[] parts = new int[ranks];
        for (int i = 0; i < ranks; i++) {
            parts[i] = random.nextInt(4) == 0 ? 0 : random.nextInt(count / ranks + 2);
        }
        return parts;
    }

    private static long[] bytes(int[] counts, int width) {
        return Arrays.stream(counts).mapToLong(count -> (long) width * count).toArray();
    }

    private static int before(int[] parts, int position) {
        return Arrays.stream(parts).limit(position).sum();
    }

    private List<DynamicTest> forEveryGroupSize(java.util.function.IntConsumer test) {
        return IntStream.rangeClosed(1, ALL ? MAX_RANKS : mostRanks())
                .mapToObj(ranks -> DynamicTest.dynamicTest(ranks + " ranks", () -> test.accept(ranks)))
                .toList();
    }

    @TestFactory
    List<DynamicTest> allReduceSumsAlongTheTree() {
        return forEveryGroupSize(ranks -> run(ranks, (wire, communicator, all) -> {
            var random = new SplittableRandom(ranks);
            for (int round = 0; round < ROUNDS; round++) {
                MemorySegment floats = values(wire, round, size(random, round));
                communicator.allReduce(all, floats);
                assertSum(communicator, floats, ranks, round, 0);
            }
        }));
    }

    @TestFactory
    List<DynamicTest> reduceScatterSumsEachPartAlongTheTree() {
        return forEveryGroupSize(ranks -> run(ranks, (wire, communicator, all) -> {
            var random = new SplittableRandom(ranks);
            for (int round = 0; round < ROUNDS; round++) {
                int[] parts = parts(random, size(random, round), ranks);
                MemorySegment floats = values(wire, round, Arrays.stream(parts).sum());
                MemorySegment mine = wire.allocate(4L * parts[wire.rank()]);
                communicator.reduceScatter(all, floats, bytes(parts, 4), mine);
                assertSum(communicator, mine, ranks, round, before(parts, wire.rank()));
            }
        }));
    }

    private static byte data(int from, int to, long round, long index) {
        return (byte) (from * 31 + to * 17 + round * 5 + index * 3 + (index >>> 8));
    }

    private static void fill(MemorySegment memory, int from, int to, long round) {
        for (long i = 0; i < memory.byteSize(); i++) {
            memory.set(ValueLayout.JAVA_BYTE, i, data(from, to, round, i));
        }
    }

    private static void assertData(MemorySegment memory, int from, int to, long round) {
        for (long i = 0; i < memory.byteSize(); i++) {
            if (memory.get(ValueLayout.JAVA_BYTE, i) != data(from, to, round, i)) {
                throw new AssertionError("byte " + i + " of " + memory.byteSize() + " from rank " + from + " is wrong");
            }
        }
    }

    @TestFactory
    List<DynamicTest> allGatherCollectsPartsOfAnySizesInOrder() {
        return forEveryGroupSize(ranks -> run(ranks, (wire, communicator, all) -> {
            var random = new SplittableRandom(ranks);
            for (int round = 0; round < ROUNDS; round++) {
                int[] parts = parts(random, size(random, round), ranks);
                MemorySegment mine = wire.allocate(parts[wire.rank()]);
                fill(mine, wire.rank(), 0, round);
                MemorySegment whole = wire.allocate(Arrays.stream(parts).sum());
                communicator.allGather(all, mine, bytes(parts, 1), whole);
                for (int i = 0; i < ranks; i++) {
                    assertData(whole.asSlice(before(parts, i), parts[i]), i, 0, round);
                }
            }
        }));
    }

    @TestFactory
    List<DynamicTest> broadcastGivesEveryoneTheDataOfAnyRoot() {
        return forEveryGroupSize(ranks -> run(ranks, (wire, communicator, all) -> {
            var random = new SplittableRandom(ranks);
            for (int round = 0; round < ROUNDS; round++) {
                int root = round % ranks;
                MemorySegment memory = wire.allocate(size(random, round));
                if (root == wire.rank()) {
                    fill(memory, root, 0, round);
                }
                communicator.broadcast(all, root, memory);
                assertData(memory, root, 0, round);
            }
        }));
    }

    @TestFactory
    List<DynamicTest> allToAllGivesEveryRankItsParts() {
        return forEveryGroupSize(ranks -> run(ranks, (wire, communicator, all) -> {
            var random = new SplittableRandom(ranks);
            int own = wire.rank();
            for (int round = 0; round < ROUNDS; round++) {
                int count = size(random, round);
                int[][] parts = new int[ranks][];
                for (int i = 0; i < ranks; i++) {
                    parts[i] = parts(random, count, ranks);
                }
                int[] into = IntStream.range(0, ranks).map(i -> parts[i][own]).toArray();
                MemorySegment from = wire.allocate(Arrays.stream(parts[own]).sum());
                MemorySegment to = wire.allocate(Arrays.stream(into).sum());
                for (int i = 0; i < ranks; i++) {
                    fill(from.asSlice(before(parts[own], i), parts[own][i]), own, i, round);
                }
                communicator.allToAll(all, from, bytes(parts[own], 1), to, bytes(into, 1));
                for (int i = 0; i < ranks; i++) {
                    assertData(to.asSlice(before(into, i), into[i]), i, own, round);
                }
            }
        }));
    }

    @TestFactory
    List<DynamicTest> exchangeBringsMessagesOfUnknownLengthToEveryOtherRank() {
        return forEveryGroupSize(ranks -> run(ranks, (wire, communicator, all) -> {
            var random = new SplittableRandom(ranks);
            int own = wire.rank();
            int room = 1 << 12;
            MemorySegment[] from = IntStream.range(0, ranks).mapToObj(i -> wire.allocate(room)).toArray(MemorySegment[]::new);
            MemorySegment[] to = IntStream.range(0, ranks).mapToObj(i -> wire.allocate(room)).toArray(MemorySegment[]::new);
            for (int round = 0; round < ROUNDS; round++) {
                long[][] lengths = new long[ranks][ranks];
                for (long[] line : lengths) {
                    Arrays.setAll(line, i -> random.nextInt(4) == 0 ? random.nextInt(-1, 1) : random.nextInt(room + 1));
                }
                long[] received = IntStream.range(0, ranks).mapToLong(i -> lengths[i][own] < 0 ? -1 : 0).toArray();
                for (int i = 0; i < ranks; i++) {
                    fill(from[i].asSlice(0, Math.max(0, lengths[own][i])), own, i, round);
                }
                communicator.exchange(all, from, lengths[own], to, received);
                for (int i = 0; i < ranks; i++) {
                    if (i != own) {
                        assertEquals(lengths[i][own], received[i], "bytes from rank " + i);
                        assertData(to[i].asSlice(0, Math.max(0, received[i])), i, own, round);
                    }
                }
            }
        }));
    }

    @Test
    void aMessageLongerThanItsRoomIsNamed() {
        assertSomeoneSays(failures(2, VirtualRanks.PATIENCE.toNanos(), (wire, communicator, all) -> {
            MemorySegment[] memory = {wire.allocate(64), wire.allocate(64)};
            MemorySegment[] room = {wire.allocate(32), wire.allocate(32)};
            communicator.exchange(all, memory, new long[] {33, 33}, room, new long[2]);
        }), "rank ", "all_to_all#1 of group 1", "at most 32 bytes");
    }

    @TestFactory
    List<DynamicTest> nobodyLeavesABarrierBeforeAllAreThere() {
        return forEveryGroupSize(ranks -> {
            var arrived = new java.util.concurrent.atomic.AtomicInteger();
            run(ranks, (wire, communicator, all) -> {
                for (int round = 1; round <= ROUNDS; round++) {
                    arrived.incrementAndGet();
                    communicator.barrier(all);
                    assertTrue(arrived.get() >= round * ranks, "somebody has left before all were there");
                    communicator.barrier(all);
                }
            });
        });
    }

    @TestFactory
    List<DynamicTest> upTo16MebibytesAreSummedAndCollected() {
        return (ALL ? IntStream.rangeClosed(2, MAX_RANKS) : IntStream.of(2))
                .mapToObj(ranks -> DynamicTest.dynamicTest(ranks + " ranks", () -> run(ranks, (wire, communicator, all) -> {
                    for (int count : ALL ? new int[] {70_001, 1 << 20, MANY_FLOATS} : new int[] {MANY_FLOATS / 8 + 1}) {
                        sumAndCollect(wire, communicator, all, count);
                    }
                }))).toList();
    }

    private static void sumAndCollect(Wire wire, Communicator communicator, Communicator.Group all, int count) {
        int ranks = all.size();
        int[] parts = new int[ranks];
        Arrays.fill(parts, count / ranks);
        parts[ranks - 1] += count % ranks;
        MemorySegment mine = wire.allocate(4L * parts[wire.rank()]);
        communicator.reduceScatter(all, values(wire, 1, count), bytes(parts, 4), mine);
        assertSum(communicator, mine, ranks, 1, before(parts, wire.rank()));
        MemorySegment collected = wire.allocate(4L * count);
        communicator.allGather(all, mine, bytes(parts, 4), collected);
        MemorySegment sums = values(wire, 1, count);
        communicator.allReduce(all, sums);
        assertEquals(-1, sums.mismatch(collected), "sums that were formed in parts differ from those that were not");
        communicator.broadcast(all, 0, collected);
        assertEquals(-1, sums.mismatch(collected), "what was given to all has changed");
    }

    @Test
    void itDoesNotMatterWhoIsLate() {
        int ranks = 3;
        run(ranks, (wire, communicator, all) -> {
            for (int late = 0; late < 2 * ranks; late++) {
                for (int count : new int[] {10, 30_000}) {
                    if (late % ranks == wire.rank()) {
                        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(late < ranks ? 2 : 15));
                    }
                    sumAndCollect(wire, communicator, all, count);
                    communicator.barrier(all);
                }
            }
        });
    }

    @Test
    void anAbortEndsAnOperation() {
        var failures = failures(2, VirtualRanks.PATIENCE.toNanos(), (wire, communicator, all) -> {
            if (wire.rank() == 0) {
                Thread.ofPlatform().daemon().start(() -> {
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
                    wire.abort("rank 7 is on fire");
                });
                communicator.allReduce(all, wire.allocate(64));
            }
        });
        assertSomeoneSays(failures, "rank 7 is on fire");
    }

    @TestFactory
    List<DynamicTest> aRankThatGoesAwayIsNamedByThoseWhoWaitForIt() {
        return IntStream.range(0, 5).mapToObj(phase -> DynamicTest.dynamicTest("before operation " + phase, () -> {
            var failures = failures(3, VirtualRanks.PATIENCE.toNanos(), (wire, communicator, all) -> {
                for (int step = 0; step < 20; step++) {
                    if (wire.rank() == 1 && step == 7 + phase) {
                        throw new TransportException("leaves");
                    }
                    switch (step % 5) {
                        case 0 -> communicator.allReduce(all, wire.allocate(64));
                        case 1 -> communicator.allReduce(all, wire.allocate(400_000));
                        case 2 ->
                            communicator.reduceScatter(all, wire.allocate(300), new long[] {100, 100, 100}, wire.allocate(100));
                        case 3 -> communicator.allGather(all, wire.allocate(100), new long[] {100, 100, 100}, wire.allocate(300));
                        default -> communicator.barrier(all);
                    }
                }
            });
            assertEquals(3, failures.length, () -> "somebody goes on without rank 1: " + Arrays.toString(failures));
            assertSomeoneSays(failures, "rank 1", "closed the connection");
        })).toList();
    }

    @Test
    void equalElementsHaveEqualSumsWhateverIsSummedWithThem() {
        int large = 60_000;
        run(5, (wire, communicator, all) -> {
            assumeTrue(communicator.keepsTree());
            MemorySegment many = values(wire, 1, large);
            MemorySegment few = values(wire, 1, 10);
            communicator.allReduce(all, many);
            communicator.allReduce(all, few);
            assertEquals(-1, few.mismatch(many.asSlice(0, few.byteSize())));
        });
    }

    @Test
    void groupsOfTheSameRanksDoNotDisturbEachOther() {
        run(4, (wire, communicator, all) -> {
            int rank = wire.rank();
            var rows = communicator.group(2 + rank / 2, List.of(rank / 2 * 2, rank / 2 * 2 + 1));
            var columns = communicator.group(4 + rank % 2, List.of(rank % 2, rank % 2 + 2));
            for (int round = 0; round < ROUNDS; round++) {
                MemorySegment floats = wire.allocate(400);
                floats.setAtIndex(ValueLayout.JAVA_FLOAT, 99, 1 << rank);
                communicator.allReduce(rows, floats);
                assertEquals(rank < 2 ? 3 : 12, floats.getAtIndex(ValueLayout.JAVA_FLOAT, 99));
                communicator.allReduce(columns, floats);
                assertEquals(15, floats.getAtIndex(ValueLayout.JAVA_FLOAT, 99));
            }
            communicator.barrier(all);
        });
    }

    @Test
    void whatWasSentGoesOnWhileItsSenderHasOtherThingsToDo() {
        run(2, (wire, communicator, all) -> {
            MemorySegment large = values(wire, 5, MANY_FLOATS);
            if (wire.rank() == 0) {
                Wire.Pending sending = communicator.send(1, large);
                long start = System.nanoTime();
                while (!sending.done() && System.nanoTime() - start < VirtualRanks.PATIENCE.toNanos()) {
                    communicator.progress();
                }
                assertTrue(sending.done(), "16 MiB do not arrive by progress alone");
                communicator.await(sending);
            } else {
                communicator.receive(0, large);
                assertEquals(value(0, 5, MANY_FLOATS - 1), large.getAtIndex(ValueLayout.JAVA_FLOAT, MANY_FLOATS - 1));
            }
        });
    }

    @Test
    void transfersArriveInOrderWhileTheSenderGoesOn() {
        run(3, (wire, communicator, all) -> {
            int next = (wire.rank() + 1) % 3;
            int previous = (wire.rank() + 2) % 3;
            var sent = new java.util.ArrayList<Wire.Pending>();
            for (int i = 0; i < 5; i++) {
                MemorySegment memory = wire.allocate(1000 + i);
                fill(memory, wire.rank(), next, i);
                sent.add(communicator.send(next, memory));
            }
            for (int i = 0; i < 5; i++) {
                MemorySegment memory = wire.allocate(1000 + i);
                communicator.receive(previous, memory);
                assertData(memory, previous, wire.rank(), i);
            }
            sent.forEach(communicator::await);
        });
    }

    /** An operation that has been begun, and a look at what it has made. */
    private record Trial(Communicator.Begun begun, Runnable check) {

        /** One of five kinds; all ranks draw the same numbers. */
        static Trial begin(Wire wire, Communicator communicator, Communicator.Group all, SplittableRandom random, long round) {
            int ranks = all.size();
            int own = wire.rank();
            int kind = random.nextInt(5);
            int count = size(random, random.nextInt(ROUNDS));
            int[] parts = parts(random, count, ranks);
            int sum = Arrays.stream(parts).sum();
            return switch (kind) {
                case 0 -> {
                    MemorySegment floats = values(wire, round, count);
                    yield new Trial(communicator.beginAllReduce(all, floats),
                            () -> assertSum(communicator, floats, ranks, round, 0));
                }
                case 1 -> {
                    MemorySegment mine = wire.allocate(4L * parts[own]);
                    yield new Trial(communicator.beginReduceScatter(all, values(wire, round, sum), bytes(parts, 4), mine),
                            () -> assertSum(communicator, mine, ranks, round, before(parts, own)));
                }
                case 2 -> {
                    MemorySegment mine = wire.allocate(parts[own]);
                    fill(mine, own, 0, round);
                    MemorySegment whole = wire.allocate(sum);
                    yield new Trial(communicator.beginAllGather(all, mine, bytes(parts, 1), whole),
                            () -> assertParts(whole, parts, 0, round));
                }
                case 3 -> {
                    // Each rank gives everybody a part of the same size.
                    int[] given = new int[ranks];
                    Arrays.fill(given, parts[own]);
                    MemorySegment from = wire.allocate((long) ranks * parts[own]);
                    for (int i = 0; i < ranks; i++) {
                        fill(from.asSlice((long) i * parts[own], parts[own]), own, i, round);
                    }
                    MemorySegment to = wire.allocate(sum);
                    yield new Trial(communicator.beginAllToAll(all, from, bytes(given, 1), to, bytes(parts, 1)),
                            () -> assertParts(to, parts, own, round));
                }
                default -> {
                    MemorySegment[] from = new MemorySegment[ranks];
                    MemorySegment[] to = new MemorySegment[ranks];
                    long[] given = new long[ranks];
                    long[] received = new long[ranks];
                    for (int i = 0; i < ranks; i++) {
                        from[i] = wire.allocate(parts[own]);
                        fill(from[i], own, i, round);
                        given[i] = parts[own];
                        to[i] = wire.allocate(parts[i] + 10L);
                    }
                    yield new Trial(communicator.beginExchange(all, from, given, to, received), () -> {
                        for (int i = 0; i < ranks; i++) {
                            assertEquals(i == own ? 0 : parts[i], received[i], "bytes from rank " + i);
                            assertData(to[i].asSlice(0, received[i]), i, own, round);
                        }
                    });
                }
            };
        }

        void end() {
            begun.end();
            check.run();
        }
    }

    private static void assertParts(MemorySegment whole, int[] parts, int to, long round) {
        for (int i = 0; i < parts.length; i++) {
            assertData(whole.asSlice(before(parts, i), parts[i]), i, to, round);
        }
    }

    @TestFactory
    List<DynamicTest> operationsThatAreUnderWayTogetherMakeWhatTheyMakeAlone() {
        return forEveryGroupSize(ranks -> run(ranks, (wire, communicator, all) -> {
            var random = new SplittableRandom(ranks);
            for (int round = 0; round < ROUNDS; round++) {
                Trial first = Trial.begin(wire, communicator, all, random, 3L * round);
                communicator.progress();
                Trial second = Trial.begin(wire, communicator, all, random, 3L * round + 1);
                communicator.progress();
                boolean inOrder = random.nextBoolean();
                (inOrder ? first : second).end();
                Trial third = Trial.begin(wire, communicator, all, random, 3L * round + 2);
                (inOrder ? second : first).end();
                third.end();
            }
        }));
    }

    @Test
    void othersAreCarriedOutWhileAnOperationIsUnderWay() {
        run(3, (wire, communicator, all) -> {
            for (int count : new int[] {100, 70_000}) {
                MemorySegment begun = values(wire, 1, count);
                MemorySegment atOnce = values(wire, 2, count);
                Communicator.Begun underWay = communicator.beginAllReduce(all, begun);
                communicator.allReduce(all, atOnce);
                communicator.barrier(all);
                underWay.end();
                assertSum(communicator, begun, 3, 1, 0);
                assertSum(communicator, atOnce, 3, 2, 0);
            }
        });
    }

    @Test
    void transfersMayBeExpectedBeforeTheyAreAwaited() {
        run(3, (wire, communicator, all) -> {
            int next = (wire.rank() + 1) % 3;
            int previous = (wire.rank() + 2) % 3;
            MemorySegment[] from = {wire.allocate(100), wire.allocate(300_000)};
            MemorySegment[] into = {wire.allocate(100), wire.allocate(300_000)};
            Wire.Pending[] sent = new Wire.Pending[2];
            Communicator.Begun[] expected = new Communicator.Begun[2];
            for (int i = 0; i < 2; i++) {
                fill(from[i], wire.rank(), next, i);
                sent[i] = communicator.send(next, from[i]);
            }
            for (int i = 0; i < 2; i++) {
                expected[i] = communicator.beginReceive(previous, into[i]);
            }
            for (int i = 1; i >= 0; i--) {
                expected[i].end();
                assertData(into[i], previous, wire.rank(), i);
                communicator.await(sent[i]);
            }
        });
    }

    @Test
    void aRankThatIsMissingIsNamedWhenWhatHasBegunEnds() {
        assertSomeoneSays(failures(3, SHORT, (wire, communicator, all) -> {
            if (wire.rank() != 2) {
                communicator.beginAllReduce(all, wire.allocate(64)).end();
            }
        }), "rank 2", "all_reduce#1 of group 1");
    }

    private Throwable[] failures(int ranks, long limit, Body body) {
        try (var virtual = VirtualRanks.open(transport(), ranks)) {
            return virtual.attempt(wire -> {
                Communicator communicator = open(wire, limit);
                body.run(wire, communicator, communicator.group(1, IntStream.range(0, ranks).boxed().toList()));
            }).stream().flatMap(java.util.Optional::stream).toArray(Throwable[]::new);
        }
    }

    private static void assertSomeoneSays(Throwable[] failures, String... parts) {
        assertTrue(Arrays.stream(failures).allMatch(TransportException.class::isInstance), () -> Arrays.toString(failures));
        assertTrue(
                Arrays.stream(failures)
                        .anyMatch(failure -> Arrays.stream(parts).allMatch(String.valueOf(failure.getMessage())::contains)),
                () -> "nobody says " + Arrays.toString(parts) + ": " + Arrays.toString(failures));
    }

    @Test
    void differentOperationsAreNamed() {
        assertSomeoneSays(failures(2, VirtualRanks.PATIENCE.toNanos(), (wire, communicator, all) -> {
            if (wire.rank() == 0) {
                communicator.allReduce(all, wire.allocate(64));
            } else {
                communicator.allGather(all, wire.allocate(64), new long[] {64, 64}, wire.allocate(128));
            }
        }), "rank ", "all_reduce#1 of group 1", "all_gather#1 of group 1");
    }

    @Test
    void differentSizesAreNamedEvenIfTheyMeanDifferentAlgorithms() {
        for (int[] sizes : new int[][] {{64, 128}, {64 << 10, 128 << 10}, {128 << 10, 1 << 20}}) {
            assertSomeoneSays(failures(2, VirtualRanks.PATIENCE.toNanos(),
                    (wire, communicator, all) -> communicator.allReduce(all, wire.allocate(sizes[wire.rank()]))), "rank ",
                    "expects");
        }
    }

    @Test
    void aSilentRankIsNamed() {
        assertSomeoneSays(failures(3, SHORT, (wire, communicator, all) -> {
            if (wire.rank() != 2) {
                communicator.allReduce(all, wire.allocate(64));
            }
        }), "rank 2", "all_reduce#1 of group 1");
    }

    @Test
    void mistakesOfTheCallerAreSaidBeforeAnythingIsSent() {
        run(2, (wire, communicator, all) -> {
            MemorySegment memory = wire.allocate(64);
            assertThrows(IllegalArgumentException.class, () -> communicator.allReduce(all, wire.allocate(63)));
            assertThrows(IllegalArgumentException.class, () -> communicator.allGather(all, memory, new long[] {64, 64}, memory));
            assertThrows(IllegalArgumentException.class, () -> communicator.reduceScatter(all, memory, new long[] {64}, memory));
            assertThrows(IllegalArgumentException.class, () -> communicator.broadcast(all, 2, memory));
            MemorySegment[] two = {memory, memory};
            assertThrows(IllegalArgumentException.class,
                    () -> communicator.exchange(all, two, new long[] {65, 65}, two, new long[2]));
            assertThrows(IllegalArgumentException.class, () -> communicator.exchange(all, two, new long[1], two, new long[2]));
            assertThrows(IllegalArgumentException.class, () -> communicator.group(9, List.of(1 - wire.rank())));
            assertSays(assertThrows(IllegalArgumentException.class, () -> communicator.group(0, List.of(0, 1))), "1 to 65535");
            communicator.barrier(all);
        });
    }

    @Test
    void warmOperationsAllocateNothingOnTheHeap() {
        int operations = 100;
        run(2, (wire, communicator, all) -> {
            MemorySegment small = wire.allocate(4096);
            MemorySegment large = wire.allocate(256 << 10);
            MemorySegment[] messages = {small, small};
            MemorySegment[] room = {wire.allocate(4096), wire.allocate(4096)};
            long[] bytes = {100, 100};
            long[] received = new long[2];
            Runnable step = () -> {
                for (int i = 0; i < operations; i++) {
                    communicator.allReduce(all, small);
                    communicator.allReduce(all, large);
                    communicator.exchange(all, messages, bytes, room, received);
                }
            };
            long allocated = Allocation.leastOf(step);
            assertTrue(allocated < 32L * operations,
                    () -> 3 * operations + " operations allocate " + allocated + " bytes or more");
        });
    }

    @Test
    void norDoThoseThatAreUnderWayTogether() {
        int operations = 100;
        run(2, (wire, communicator, all) -> {
            MemorySegment small = wire.allocate(4096);
            MemorySegment large = wire.allocate(256 << 10);
            MemorySegment whole = wire.allocate(8192);
            long[] parts = {4096, 4096};
            Runnable step = () -> {
                for (int i = 0; i < operations; i++) {
                    Communicator.Begun first = communicator.beginAllReduce(all, large);
                    Communicator.Begun second = communicator.beginAllGather(all, small, parts, whole);
                    first.end();
                    second.end();
                }
            };
            long allocated = Allocation.leastOf(step);
            assertTrue(allocated < 32L * operations,
                    () -> 2 * operations + " operations allocate " + allocated + " bytes or more");
        });
    }
}
