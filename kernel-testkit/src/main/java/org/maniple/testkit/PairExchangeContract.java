package org.maniple.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.maniple.api.HostInfo;
import org.maniple.api.collective.AllToAll;
import org.maniple.api.collective.Collectives;
import org.maniple.api.collective.Communicator;
import org.maniple.api.collective.PairExchange;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.PairRows;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.Wire;

/** What every way of bringing tokens to their experts must do that does not gather them, compared with a naive computation of all ranks' tokens. */
@Timeout(300)
public abstract class PairExchangeContract {

    private static final int WIDTH = 133;
    private static final int SLOTS = 5;
    private static final int CHOICES = 4;
    private static final int MAX_TOKENS = 24;
    private static final int ROUNDS = 15;

    /** For the test class of an implementation. */
    protected PairExchangeContract() {}

    /**
     * The way under test.
     *
     * @return a new one
     */
    protected abstract AllToAll allToAll();

    /**
     * What it runs on.
     *
     * @return new collectives
     */
    protected abstract Collectives collectives();

    /**
     * What the collectives run on.
     *
     * @return a new transport
     */
    protected abstract Transport transport();

    /**
     * What the configuration says.
     *
     * @return values by key
     */
    protected Map<String, Object> given() {
        return Map.of();
    }

    /**
     * What the experts get of a row.
     *
     * @param row a token's row
     * @return the row as it arrives
     */
    protected float[] arriving(float[] row) {
        return row;
    }

    /**
     * Bytes that a rank sends to dispatch its tokens of one step.
     *
     * @param ranks of the group
     * @param ranksVisited other ranks to which at least one of its tokens goes
     * @param visits its tokens, each counted once for each other rank that it goes to
     * @param pairs choices of its tokens that other ranks compute
     * @param width elements of a row
     * @param largest the most tokens that any of the ranks has in the step
     * @return bytes, without the transport's headers
     */
    protected abstract long dispatchBytes(int ranks, int ranksVisited, int visits, int pairs, int width,
            int largest);

    /**
     * Bytes that a rank sends to dispatch the tokens of one step, where that depends on more than its own tokens.
     *
     * @param rank the rank
     * @param positions by rank, token and choice: the rank that computes it, or -1
     * @param width elements of a row
     * @param largest the most tokens that any of the ranks has in the step
     * @return bytes, without the transport's headers
     */
    protected long dispatchBytes(int rank, int[][][] positions, int width, int largest) {
        int[] visits = visits(rank, positions);
        return dispatchBytes(positions.length, (int) IntStream.of(visits).filter(count -> count > 0).count(),
                IntStream.of(visits).sum(), pairsElsewhere(rank, positions), width, largest);
    }

    /** For each other rank the tokens of a rank that go there. */
    private static int[] visits(int rank, int[][][] positions) {
        int[] visits = new int[positions.length];
        for (int[] token : positions[rank]) {
            IntStream.of(token).distinct().filter(position -> position >= 0 && position != rank)
                    .forEach(position -> visits[position]++);
        }
        return visits;
    }

    private static int pairsElsewhere(int rank, int[][][] positions) {
        return (int) Stream.of(positions[rank]).flatMapToInt(IntStream::of)
                .filter(position -> position >= 0 && position != rank).count();
    }

    /** Tokens of all ranks, with where their choices are computed. */
    private record Routing(int[] tokens, int[][][] positions, int[][][] slots) {

        interface Chooser {
            int position(int rank, int token, int choice);
        }

        static Routing of(int[] tokens, Chooser chooser) {
            int[][][] positions = new int[tokens.length][][];
            int[][][] slots = new int[tokens.length][][];
            for (int rank = 0; rank < tokens.length; rank++) {
                positions[rank] = new int[tokens[rank]][CHOICES];
                slots[rank] = new int[tokens[rank]][CHOICES];
                for (int token = 0; token < tokens[rank]; token++) {
                    // Different choices are different experts, and so are the slots that they have on one rank.
                    int shift = (7 * rank + 3 * token) % SLOTS;
                    for (int choice = 0; choice < CHOICES; choice++) {
                        positions[rank][token][choice] = chooser.position(rank, token, choice);
                        slots[rank][token][choice] = (choice + shift) % SLOTS;
                    }
                }
            }
            return new Routing(tokens, positions, slots);
        }

        /** The number of a rank's first token in the step. */
        int first(int rank) {
            return IntStream.of(tokens).limit(rank).sum();
        }

        int all() {
            return IntStream.of(tokens).sum();
        }

        int largest() {
            return IntStream.of(tokens).max().orElse(0);
        }

        PairExchange.Owners owners(int rank) {
            return new PairExchange.Owners() {
                @Override
                public int position(int token, int choice) {
                    return positions[rank][token][choice];
                }

                @Override
                public int slot(int token, int choice) {
                    return slots[rank][token][choice];
                }
            };
        }
    }

    private static Routing random(int ranks, long seed) {
        var random = new SplittableRandom(seed);
        int most = random.nextInt(2) == 0 ? MAX_TOKENS : 6;
        int[] tokens = IntStream.range(0, ranks).map(i -> random.nextInt(4) == 0 ? 0 : random.nextInt(most + 1)).toArray();
        return Routing.of(tokens, (rank, token, choice) -> random.nextInt(8) == 0 ? -1 : random.nextInt(ranks));
    }

    private static float element(int rank, int token, int i, long round) {
        return value(rank * 7919L + token * 104_729L + i * 31L + round);
    }

    private static float weight(int rank, int token, int choice, long round) {
        return value(rank * 613L + token * 7L + choice + round * 1_000_003L);
    }

    private static float value(long seed) {
        long mixed = (seed + 1) * 0x9E3779B97F4A7C15L;
        mixed = (mixed ^ mixed >>> 29) * 0xBF58476D1CE4E5B9L;
        return (mixed >> 40) * 0x1p-23f;
    }

    /** What an expert makes of an element: different for each rank and slot. */
    private static float expert(int position, int slot, float element) {
        return element * (1 + position * SLOTS + slot) + 0.5f;
    }

    private float[] expected(Routing routing, int rank, int token, long round) {
        float[] row = new float[WIDTH];
        for (int i = 0; i < WIDTH; i++) {
            row[i] = element(rank, token, i, round);
        }
        float[] arrived = arriving(row);
        float[] sum = new float[WIDTH];
        for (int position = 0; position < routing.tokens.length; position++) {
            float[] there = new float[WIDTH];
            for (int choice = 0; choice < CHOICES; choice++) {
                if (routing.positions[rank][token][choice] == position) {
                    for (int i = 0; i < WIDTH; i++) {
                        there[i] += weight(rank, token, choice, round)
                                * expert(position, routing.slots[rank][token][choice], arrived[i]);
                    }
                }
            }
            for (int i = 0; i < WIDTH; i++) {
                sum[i] += there[i];
            }
        }
        return sum;
    }

    /** A rank with its memory. */
    private final class Member {
        private final int rank;
        private final int ranks;
        private final Wire wire;
        private final Communicator communicator;
        private final GivenContext context;
        private final PairExchange exchange;
        private final Tensor x;
        private final Tensor weights;
        private final Tensor pairs;
        private final Tensor out;

        Member(Wire wire, int ranks) {
            this(wire, ranks, new GivenContext(new GivenSettings(allToAll().options(), given()),
                    new HostInfo("localhost", "linux", "amd64", 2, 1L << 30), new CopyOnWriteArrayList<>()));
        }

        private Member(Wire wire, int ranks, GivenContext context) {
            this(wire, ranks, context, collectives().open(wire, VirtualRanks.PATIENCE.toNanos(), context));
        }

        private Member(Wire wire, int ranks, GivenContext context, Communicator communicator) {
            this.rank = wire.rank();
            this.ranks = ranks;
            this.wire = wire;
            this.context = context;
            this.communicator = communicator;
            Communicator.Group group = communicator.group(1, IntStream.range(0, ranks).boxed().toList());
            exchange = allToAll().open(
                    new AllToAll.Setting(communicator, group, WIDTH, CHOICES, SLOTS, MAX_TOKENS, wire::allocate), context);
            x = floats(wire, MAX_TOKENS, WIDTH);
            weights = floats(wire, MAX_TOKENS, CHOICES);
            out = floats(wire, MAX_TOKENS, WIDTH);
            int rows = ranks * MAX_TOKENS * CHOICES;
            pairs = floats(wire, rows, WIDTH).ragged(new PairRows(SLOTS, CHOICES, ranks * MAX_TOKENS, rows));
        }

        /** Another exchange of this rank among the same ranks. */
        Member beside() {
            return new Member(wire, ranks, context, communicator);
        }

        private static Tensor floats(Wire wire, int rows, int width) {
            return Tensor.of(DType.F32, new int[] {rows, width}, wire.allocate(4L * rows * width));
        }

        void fill(Routing routing, long round) {
            int tokens = routing.tokens[rank];
            x.rows(tokens);
            weights.rows(tokens);
            out.rows(tokens);
            for (int token = 0; token < tokens; token++) {
                for (int i = 0; i < WIDTH; i++) {
                    set(x, token, i, element(rank, token, i, round));
                    set(out, token, i, Float.NaN);
                }
                for (int choice = 0; choice < CHOICES; choice++) {
                    set(weights, token, choice, weight(rank, token, choice, round));
                }
            }
        }

        void compute() {
            PairRows rows = pairs.pairs();
            for (int slot = 0; slot < SLOTS; slot++) {
                for (int row = rows.start(slot); row < rows.start(slot + 1); row++) {
                    for (int i = 0; i < WIDTH; i++) {
                        set(pairs, row, i, expert(rank, slot, get(pairs, row, i)));
                    }
                }
            }
        }

        void step(Routing routing, PairExchange.Owners owners) {
            exchange.dispatch(x, weights, owners, routing.first(rank), routing.all(), routing.largest(), pairs);
            compute();
            exchange.combine(pairs, out);
        }

        Communicator.Begun beginDispatch(Routing routing) {
            return exchange.beginDispatch(x, weights, routing.owners(rank), routing.first(rank), routing.all(),
                    routing.largest(), pairs);
        }

        void check(Routing routing, long round) {
            for (int token = 0; token < routing.tokens[rank]; token++) {
                float[] expected = expected(routing, rank, token, round);
                for (int i = 0; i < WIDTH; i++) {
                    assertEquals(Float.floatToIntBits(expected[i]), Float.floatToIntBits(get(out, token, i)),
                            "element " + i + " of token " + token + " of rank " + rank);
                }
            }
        }
    }

    private static void set(Tensor tensor, int row, int i, float value) {
        tensor.segment().setAtIndex(ValueLayout.JAVA_FLOAT, (long) row * tensor.width() + i, value);
    }

    private static float get(Tensor tensor, int row, int i) {
        return tensor.segment().getAtIndex(ValueLayout.JAVA_FLOAT, (long) row * tensor.width() + i);
    }

    private interface Body {
        void run(Member member) throws Exception;
    }

    private void run(int ranks, Body body) {
        try (var virtual = VirtualRanks.open(transport(), ranks)) {
            virtual.run(wire -> body.run(new Member(wire, ranks)));
        }
    }

    private void assertSums(List<Routing> routings) {
        run(routings.getFirst().tokens.length, member -> {
            for (int round = 0; round < routings.size(); round++) {
                Routing routing = routings.get(round);
                member.fill(routing, round);
                member.step(routing, routing.owners(member.rank));
                member.check(routing, round);
            }
        });
    }

    @Test
    void doesNotGather() {
        assertFalse(allToAll().gathers());
    }

    @TestFactory
    List<DynamicTest> everyTokenGetsTheSumOfItsChoices() {
        return IntStream.of(1, 2, 3, 4, 8)
                .mapToObj(ranks -> DynamicTest.dynamicTest(ranks + " ranks",
                        () -> assertSums(
                                IntStream.range(0, ROUNDS).mapToObj(round -> random(ranks, ranks * 100L + round)).toList())))
                .toList();
    }

    @Test
    void ranksWithoutTokensTakePart() {
        assertSums(List.of(
                Routing.of(new int[] {0, 7, 0}, (rank, token, choice) -> choice % 3),
                Routing.of(new int[] {0, 0, 0}, (rank, token, choice) -> 0),
                Routing.of(new int[] {MAX_TOKENS, 0, 1}, (rank, token, choice) -> choice % 3)));
    }

    @Test
    void allTokensMayGoToOneRank() {
        int[] full = {MAX_TOKENS, MAX_TOKENS, MAX_TOKENS, MAX_TOKENS};
        assertSums(List.of(
                Routing.of(full, (rank, token, choice) -> 3),
                Routing.of(full, (rank, token, choice) -> 0)));
    }

    @Test
    void aTokenThatVisitsNobodyGetsZero() {
        assertSums(List.of(
                Routing.of(new int[] {3, 3}, (rank, token, choice) -> token == 1 ? -1 : rank),
                Routing.of(new int[] {3, 3}, (rank, token, choice) -> -1)));
    }

    @Test
    void rowsAreOrderedBySlotAndWithinASlotByToken() {
        run(3, member -> {
            for (int round = 0; round < ROUNDS; round++) {
                Routing routing = random(3, round);
                member.fill(routing, round);
                member.exchange.dispatch(member.x, member.weights, routing.owners(member.rank), routing.first(member.rank),
                        routing.all(), routing.largest(), member.pairs);
                PairRows rows = member.pairs.pairs();
                for (int slot = 0; slot < SLOTS; slot++) {
                    for (int row = rows.start(slot) + 1; row < rows.start(slot + 1); row++) {
                        assertTrue(rows.token(row - 1) < rows.token(row), "tokens in slot " + slot);
                    }
                }
                member.exchange.combine(member.pairs, member.out);
            }
        });
    }

    @TestFactory
    List<DynamicTest> eachTokenIsSentOnceToEachRankThatItVisits() {
        return IntStream.of(1, 2, 4).mapToObj(ranks -> DynamicTest.dynamicTest(ranks + " ranks", () -> run(ranks, member -> {
            long dispatched = 0;
            long combined = 0;
            for (int round = 0; round < ROUNDS; round++) {
                Routing routing = random(ranks, round);
                member.fill(routing, round);
                member.step(routing, routing.owners(member.rank));
                dispatched += dispatchBytes(member.rank, routing.positions, WIDTH, routing.largest());
                for (int other = 0; other < ranks; other++) {
                    combined += 4L * WIDTH * visits(other, routing.positions)[member.rank];
                }
            }
            assertEquals(dispatched, member.exchange.dispatchedBytes(), "bytes of dispatch");
            assertEquals(combined, member.exchange.combinedBytes(), "bytes of combine");
        }))).toList();
    }

    @Test
    void aTokensBitsDoNotDependOnTheOthers() {
        Routing.Chooser chooser = (rank, token, choice) -> (token + choice) % 3;
        run(3, member -> {
            for (int tokens : new int[] {MAX_TOKENS, 1, 5}) {
                Routing routing = Routing.of(new int[] {tokens, 0, tokens}, chooser);
                member.fill(routing, 0);
                member.step(routing, routing.owners(member.rank));
                member.check(Routing.of(new int[] {1, 0, 1}, chooser), 0);
            }
        });
    }

    @TestFactory
    List<DynamicTest> twoExchangesTakeTurns() {
        return IntStream.of(2, 4).mapToObj(ranks -> DynamicTest.dynamicTest(ranks + " ranks", () -> run(ranks, first -> {
            Member second = first.beside();
            for (int round = 0; round < ROUNDS; round++) {
                Routing one = random(ranks, 2L * round);
                Routing other = random(ranks, 2L * round + 1);
                first.fill(one, 2L * round);
                second.fill(other, 2L * round + 1);
                Communicator.Begun firstBegun = first.beginDispatch(one);
                Communicator.Begun secondBegun = second.beginDispatch(other);
                firstBegun.end();
                first.compute();
                firstBegun = first.exchange.beginCombine(first.pairs, first.out);
                secondBegun.end();
                second.compute();
                secondBegun = second.exchange.beginCombine(second.pairs, second.out);
                firstBegun.end();
                secondBegun.end();
                first.check(one, 2L * round);
                second.check(other, 2L * round + 1);
            }
        }))).toList();
    }

    @Test
    void warmExchangesAllocateNothingOnTheHeap() {
        int steps = 300;
        run(2, member -> {
            Routing routing = Routing.of(new int[] {MAX_TOKENS, MAX_TOKENS / 2},
                    (rank, token, choice) -> (token + choice) % 3 - 1);
            PairExchange.Owners owners = routing.owners(member.rank);
            member.fill(routing, 0);
            int largest = routing.largest();
            int first = routing.first(member.rank);
            int all = routing.all();
            Runnable run = () -> {
                for (int i = 0; i < steps; i++) {
                    member.exchange.dispatch(member.x, member.weights, owners, first, all, largest, member.pairs);
                    member.exchange.combine(member.pairs, member.out);
                }
            };
            long allocated = Allocation.leastOf(run);
            assertTrue(allocated < 32L * steps, () -> steps + " exchanges allocate " + allocated + " bytes or more");
        });
    }
}
