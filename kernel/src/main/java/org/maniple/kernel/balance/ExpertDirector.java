package org.maniple.kernel.balance;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.maniple.api.engine.ExpertStatus;
import org.maniple.api.mesh.ExpertBalancer.Schedule;
import org.maniple.api.mesh.ExpertPlacement;
import org.maniple.kernel.execute.BetweenSteps;
import org.maniple.kernel.program.MeshProgram;
import org.maniple.kernel.step.ExpertOrder;
import org.maniple.kernel.step.StepBatch;

/**
 * Rank 0's part in rebalancing: it says in its plans when a round begins and when ranks change over. It waits for nobody: while a rank is not ready,
 * steps go on as they are, and a round that takes too long is given up. Safe for use by several threads.
 */
public final class ExpertDirector {

    private static final int NOT_READY = -1;

    /** A block, as far as rank 0 knows. */
    private static final class Known {
        private ExpertPlacement placement;
        private int version;
        private List<Long> loads = List.of();
        private ExpertReport.@Nullable Decision decision;

        Known(ExpertPlacement placement) {
            this.placement = placement;
        }

        double balancedness(ExpertPlacement of) {
            return of.balancedness(loads.stream().mapToDouble(Long::doubleValue).toArray());
        }
    }

    private final MeshProgram program;
    private final Schedule schedule;
    private final long limit;
    private final LongSupplier nanos;
    private final Consumer<String> lines;
    private final Map<Integer, Known> layers = new TreeMap<>();
    /** The last chunk that each rank is ready to commit; {@link Integer#MAX_VALUE}: it has nothing more to do. */
    private final int[] ready;
    private long steps;
    private int version;
    private int round;
    private boolean running;
    private int chunk;
    private long since;
    private String failure = "";
    private double before;
    private int completed;
    private int abandoned;

    /**
     * A director before the first step.
     *
     * @param program what all ranks do
     * @param schedule when rounds begin
     * @param limit how long ranks may take to bring the weights of a chunk
     * @param nanos a clock
     * @param lines shows a line to the user
     */
    public ExpertDirector(MeshProgram program, Schedule schedule, Duration limit, LongSupplier nanos, Consumer<String> lines) {
        this.program = program;
        this.schedule = schedule;
        this.limit = limit.toNanos();
        this.nanos = nanos;
        this.lines = lines;
        this.ready = new int[program.mesh().ranks()];
        program.placements().forEach((layer, placement) -> {
            if (placement.parts() > 1) {
                layers.put(layer, new Known(placement));
            }
        });
    }

    /**
     * What rank 0 does between steps.
     *
     * @param own rank 0's own experts
     * @return orders in plans, carried out by it as by all others
     */
    public BetweenSteps with(ExpertMover own) {
        return new BetweenSteps() {
            @Override
            public void order(StepBatch plan) {
                ExpertDirector.this.order(plan);
            }

            @Override
            public void before(StepBatch plan) {
                own.before(plan);
            }
        };
    }

    /**
     * Writes an order into a plan, if there is one to give. Called for every step, in order.
     *
     * @param plan the plan
     */
    public synchronized void order(StepBatch plan) {
        long step = steps++;
        ExpertOrder order = running ? proceed() : ExpertOrder.NONE;
        if (!running && order == ExpertOrder.NONE && !layers.isEmpty() && step > 0 && step % schedule.intervalSteps() == 0) {
            begin();
            order = ExpertOrder.COLLECT;
        }
        int of = order == ExpertOrder.COMMIT ? chunk++ : 0;
        plan.orderExperts(order, order == ExpertOrder.NONE ? 0 : round, of, version);
    }

    private void begin() {
        round++;
        running = true;
        chunk = 0;
        since = nanos.getAsLong();
        failure = "";
        before = 0;
        Arrays.fill(ready, NOT_READY);
    }

    private ExpertOrder proceed() {
        boolean all = true;
        boolean over = true;
        for (int each : ready) {
            all &= each >= chunk;
            over &= each == Integer.MAX_VALUE;
        }
        if (!failure.isEmpty()) {
            return abandon(failure);
        }
        if (over) {
            complete();
            return ExpertOrder.NONE;
        }
        if (all) {
            since = nanos.getAsLong();
            version++;
            layers.values().forEach(this::change);
            return ExpertOrder.COMMIT;
        }
        if (nanos.getAsLong() - since > limit) {
            List<Integer> late = IntStream.range(0, ready.length).filter(rank -> ready[rank] < chunk).boxed().toList();
            return abandon("ranks " + late + " have not brought the weights of chunk " + chunk + " within "
                    + Duration.ofNanos(limit).toSeconds() + " s");
        }
        return ExpertOrder.NONE;
    }

    private void change(Known layer) {
        ExpertReport.Decision decision = layer.decision;
        if (decision != null && decision.chunk() == chunk) {
            layer.placement = decision.next();
            layer.version++;
        }
    }

    private ExpertOrder abandon(String why) {
        running = false;
        abandoned++;
        layers.values().forEach(layer -> layer.decision = null);
        lines.accept("experts: round " + round + " of rebalancing is given up after " + chunk + " of its chunks: " + why);
        return ExpertOrder.ABANDON;
    }

    private void complete() {
        running = false;
        completed++;
        long changed = layers.values().stream().filter(layer -> layer.decision != null && layer.decision.chunk() >= 0).count();
        layers.values().forEach(layer -> layer.decision = null);
        if (schedule.logged()) {
            lines.accept(
                    String.format(Locale.ROOT, "experts: round %d: balancedness %.3f before, %.3f after; %d of %d layers changed",
                            round, before, mean(), changed, layers.size()));
        }
    }

    private double mean() {
        return layers.values().stream().filter(layer -> !layer.loads.isEmpty())
                .mapToDouble(layer -> layer.balancedness(layer.placement)).average().orElse(1);
    }

    /**
     * Takes a report; does not block.
     *
     * @param rank who sent it
     * @param report what it says; one of another round is too late and changes nothing
     * @throws IllegalArgumentException if it makes no sense
     */
    public synchronized void arrived(int rank, ExpertReport report) {
        if (!running || report.round() != round) {
            return;
        }
        if (!report.failure().isEmpty()) {
            failure = "rank " + rank + " cannot bring weights: " + report.failure();
            return;
        }
        report.layers().forEach(decision -> decided(rank, decision));
        ready[rank] = report.last() ? Integer.MAX_VALUE : report.chunk();
    }

    private void decided(int rank, ExpertReport.Decision decision) {
        Known layer = layers.get(decision.layer());
        if (layer == null || decision.next().parts() != layer.placement.parts()
                || decision.loads().size() != layer.placement.experts()) {
            throw new IllegalArgumentException("rank " + rank + " decides about layer " + decision.layer() + " with "
                    + decision.loads().size() + " experts on " + decision.next().parts() + " ranks, but layers with experts are "
                    + layers.keySet());
        }
        layer.loads = decision.loads();
        layer.decision = decision;
        before = mean();
    }

    /**
     * Where the experts are.
     *
     * @return a snapshot
     */
    public synchronized ExpertStatus status() {
        var known = new ArrayList<ExpertStatus.Layer>();
        layers.forEach((number, layer) -> known.add(new ExpertStatus.Layer(number, layer.version,
                ranks(program, number, layer.placement), layer.loads, layer.loads.isEmpty()
                        ? OptionalDouble.empty()
                        : OptionalDouble.of(layer.balancedness(layer.placement)))));
        return new ExpertStatus(true, completed, abandoned, known);
    }

    /**
     * Where the experts of a unit are that does not rebalance.
     *
     * @param program what all ranks do
     * @return without loads
     */
    public static ExpertStatus fixed(MeshProgram program) {
        var known = new ArrayList<ExpertStatus.Layer>();
        program.placements().forEach((number, placement) -> {
            if (placement.parts() > 1) {
                known.add(
                        new ExpertStatus.Layer(number, 0, ranks(program, number, placement), List.of(), OptionalDouble.empty()));
            }
        });
        return new ExpertStatus(false, 0, 0, known);
    }

    private static List<ExpertStatus.RankExperts> ranks(MeshProgram program, int layer, ExpertPlacement placement) {
        return IntStream.range(0, program.mesh().ranks())
                .filter(rank -> program.stageOfRank(rank) == program.stageOfBlock(layer))
                .mapToObj(rank -> {
                    int part = program.expertPart(rank);
                    return new ExpertStatus.RankExperts(rank,
                            IntStream.range(0, placement.slots(part)).mapToObj(slot -> placement.expert(part, slot)).toList());
                }).toList();
    }
}
