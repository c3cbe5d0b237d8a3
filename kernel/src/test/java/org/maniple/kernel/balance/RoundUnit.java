package org.maniple.kernel.balance;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.stream.IntStream;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.GraphBuilder;
import org.maniple.api.graph.Value;
import org.maniple.api.mesh.AxisRule;
import org.maniple.api.mesh.ExpertBalancer;
import org.maniple.api.mesh.ExpertPlacement;
import org.maniple.api.mesh.Mesh;
import org.maniple.api.mesh.MeshDimension;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.UnitList;
import org.maniple.kernel.execute.ExpertTable;
import org.maniple.kernel.load.ExpertSlot;
import org.maniple.kernel.program.CompileOptions;
import org.maniple.kernel.program.MeshProgram;
import org.maniple.kernel.program.Piece;
import org.maniple.kernel.program.ProgramCompiler;
import org.maniple.kernel.step.ExpertOrder;
import org.maniple.kernel.step.StepBatch;

/**
 * A director and two movers whose reports the test delivers. The weights of an expert are one number, its own. In each step one expert is used
 * four times, the others once, on each rank that has them.
 */
final class RoundUnit implements AutoCloseable {

    static final Duration LIMIT = Duration.ofSeconds(60);

    private static final MeshDimension EP = new MeshDimension("ep", 300);
    private static final Dim HIDDEN = Axes.HIDDEN.of(4);
    private static final Dim WIDE = Axes.EXPERT_FFN.of(6);
    private static final Dim EXPERTS = Axes.EXPERTS.of(3);
    private static final ExpertPlacement START = new ExpertPlacement(3, List.of(List.of(0, 1), List.of(1, 2)));
    private static final int LAYERS = 3;
    private static final long PATIENCE_SECONDS = 20;

    /** A report that has not been delivered yet. */
    record Told(int rank, ExpertReport report) {}

    private final MeshProgram program = program();
    private final StepBatch plan = new StepBatch(new StepBatch.Limits(4, 1, 1, 1, 4), 1, 8);
    private final LinkedBlockingQueue<Told> told = new LinkedBlockingQueue<>();
    private final List<String> lines = new ArrayList<>();
    private final List<List<ExpertLayer>> ranks = new ArrayList<>();
    private final List<ExpertMover> movers = new ArrayList<>();
    private final Map<Integer, CountDownLatch> waits = new ConcurrentHashMap<>();
    private final Map<Integer, String> failures = new ConcurrentHashMap<>();
    private final AtomicReferenceArray<long[]> shared = new AtomicReferenceArray<>(2);
    private final CyclicBarrier meeting = new CyclicBarrier(2);
    private final ExecutorService threads = Executors.newFixedThreadPool(2);
    private final AtomicInteger allocations = new AtomicInteger();
    private final ExpertDirector director;
    private long clock;
    private long step;
    private int favourite;

    RoundUnit(int interval, int layersPerChunk, double threshold) {
        var balancer = new EvenlyOrNot(new ExpertBalancer.Schedule(interval, interval, layersPerChunk, threshold, true));
        director = new ExpertDirector(program, balancer.schedule(), LIMIT, () -> clock, lines::add);
        for (int rank = 0; rank < 2; rank++) {
            int own = rank;
            ranks.add(IntStream.range(0, LAYERS).mapToObj(layer -> layer(own, layer)).toList());
            movers.add(
                    new ExpertMover(new ExpertMover.Self(rank, rank == 0, 1), ranks.get(rank), balancer, loads -> add(own, loads),
                            (piece, expert, memory) -> load(own, expert, memory.apply(Float.BYTES)), bytes -> {
                                allocations.incrementAndGet();
                                return Arena.ofAuto().allocate(bytes);
                            }, report -> told.add(new Told(own, ExpertReport.decode(report.encode())))));
        }
    }

    /** Gives the favourite expert of a layer two slots, one on each rank. */
    private record EvenlyOrNot(Schedule schedule) implements ExpertBalancer {
        @Override
        public void check(int experts, int replicas, int parts, int groups, int nodes) {
            // everything suits
        }

        @Override
        public ExpertPlacement rebalance(int layer, double[] loads, ExpertPlacement current, int groups, int nodes) {
            int most = IntStream.range(0, loads.length).reduce(0, (a, b) -> loads[b] > loads[a] ? b : a);
            var ends = IntStream.range(0, loads.length).filter(i -> i != most).boxed().toList();
            return new ExpertPlacement(3, List.of(List.of(ends.getFirst(), most), List.of(most, ends.getLast())));
        }
    }

    private static MeshProgram program() {
        var builder = new GraphBuilder("small", LAYERS);
        Value x = builder.embed("hidden.0", builder.parameter("embedding", Axes.VOCAB.of(8), HIDDEN));
        for (int layer = 0; layer < LAYERS; layer++) {
            builder.layer(layer);
            Value logits = builder.contract("logits." + layer, x, builder.parameter("router." + layer, Axes.GATES.of(3), HIDDEN));
            var route = new BuiltinOp.Route(BuiltinOp.Route.Score.SOFTMAX, 1, 1, BuiltinOp.Route.GroupScore.MAX, true, 1);
            GraphBuilder.Routing routing = builder.route("chosen." + layer, route, 2, logits, Optional.empty());
            Value pairs = builder.dispatch("pairs." + layer, x, routing, 3);
            Value wide = builder.contract("wide." + layer, pairs, builder.parameter("up." + layer, EXPERTS, WIDE, HIDDEN));
            Value back = builder.contract("back." + layer, wide, builder.parameter("down." + layer, EXPERTS, HIDDEN, WIDE));
            x = builder.combine("hidden." + (layer + 1), back, routing);
        }
        builder.layer(LAYERS);
        var rule = new AxisRule(Axes.EXPERTS, List.of(EP), request -> List.of(UnitList.of(0, 1), UnitList.of(1, 2)));
        return new ProgramCompiler(builder.head(x, builder.parameter("head", Axes.VOCAB.of(8), HIDDEN), 16),
                new Mesh(List.of(EP), List.of(2)), List.of(rule), new CompileOptions(false, false, true),
                (layer, experts) -> Optional.of(START)).compile();
    }

    private ExpertLayer layer(int rank, int layer) {
        Piece piece = program.forRank(rank).weights().stream().filter(p -> p.toString().contains("up." + layer)).findFirst()
                .orElseThrow();
        var slots = new ArrayList<MemorySegment>();
        for (int slot = 0; slot < START.slots(rank); slot++) {
            slots.add(number(Arena.ofAuto().allocate(Float.BYTES), START.expert(rank, slot)));
        }
        return new ExpertLayer(new ExpertTable(layer, rank, START), 1,
                Map.of(piece, Tensor.stacked(DType.F32, new int[] {2, 1}, slots)));
    }

    private static MemorySegment number(MemorySegment memory, int expert) {
        memory.set(JAVA_FLOAT, 0, expert);
        return memory;
    }

    private ExpertSlot load(int rank, int expert, MemorySegment memory) {
        CountDownLatch wait = waits.get(rank);
        try {
            if (wait != null && !wait.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new IllegalStateException("nobody lets rank " + rank + " load");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
        String failure = failures.get(rank);
        if (failure != null) {
            throw new CheckpointException(failure);
        }
        return new ExpertSlot(number(memory, expert), Optional.empty());
    }

    private void add(int rank, long[] loads) {
        shared.set(rank, loads.clone());
        meet();
        for (int i = 0; i < loads.length; i++) {
            loads[i] += shared.get(1 - rank)[i];
        }
        meet();
    }

    private void meet() {
        try {
            meeting.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
            throw new IllegalStateException("the other rank does not add up its loads", e);
        }
    }

    /** Plans a step, carries out its order on both ranks, and counts; what was ordered. */
    ExpertOrder step() {
        plan.clear(step++);
        director.order(plan);
        List<Future<?>> both = movers.stream().<Future<?>>map(mover -> threads.submit(() -> mover.before(plan))).toList();
        both.forEach(RoundUnit::join);
        for (List<ExpertLayer> layers : ranks) {
            layers.forEach(layer -> count(layer.table()));
        }
        return plan.expertOrder();
    }

    private static void join(Future<?> rank) {
        try {
            rank.get(2 * PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw (RuntimeException) java.util.Objects.requireNonNull(e.getCause());
        } catch (InterruptedException | TimeoutException e) {
            throw new IllegalStateException(e);
        }
    }

    private void count(ExpertTable table) {
        ExpertPlacement placement = table.placement();
        for (int expert = 0; expert < 3; expert++) {
            for (int slot = 0; slot < placement.slots(table.part()); slot++) {
                if (placement.expert(table.part(), slot) == expert) {
                    table.count(slot, expert == favourite ? 4 : 1);
                    break;
                }
            }
        }
    }

    /** Another expert is used most. */
    void turnLoads() {
        favourite = (favourite + 1) % 3;
    }

    StepBatch plan() {
        return plan;
    }

    ExpertDirector director() {
        return director;
    }

    List<String> lines() {
        return lines;
    }

    int allocations() {
        return allocations.get();
    }

    MemorySegment weight(int layer, int rank, int slot) {
        return ranks.get(rank).get(layer).weights().values().iterator().next().slot(slot);
    }

    /** Time goes by. */
    void pass(Duration time) {
        clock += time.toNanos();
    }

    /** A rank does not load before this. */
    void beforeLoad(int rank, CountDownLatch latch) {
        waits.put(rank, latch);
    }

    /** A rank cannot load. */
    void failLoads(int rank, String why) {
        failures.put(rank, why);
    }

    /** Waits for reports and gives them to rank 0. */
    void deliver(int count) {
        take(count).forEach(each -> director.arrived(each.rank(), each.report()));
    }

    List<Told> take(int count) {
        var taken = new ArrayList<Told>();
        try {
            while (taken.size() < count) {
                Told next = told.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
                assertThat(next).as("report %d of %d", taken.size() + 1, count).isNotNull();
                taken.add(java.util.Objects.requireNonNull(next));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
        return taken;
    }

    /** Every slot has the weights of the expert that the tables say, and all ranks say the same. */
    void requireWeightsToFitTables() {
        for (int layer = 0; layer < LAYERS; layer++) {
            ExpertPlacement placement = ranks.getFirst().get(layer).table().placement();
            for (int rank = 0; rank < 2; rank++) {
                assertThat(ranks.get(rank).get(layer).table().placement()).isEqualTo(placement);
                for (int slot = 0; slot < 2; slot++) {
                    assertThat(weight(layer, rank, slot).get(JAVA_FLOAT, 0)).as("layer %d, rank %d, slot %d", layer, rank, slot)
                            .isEqualTo(placement.expert(rank, slot));
                }
            }
        }
    }

    @Override
    public void close() {
        waits.values().forEach(CountDownLatch::countDown);
        movers.forEach(ExpertMover::close);
        threads.shutdownNow();
    }
}
