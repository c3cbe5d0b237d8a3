package org.maniple.kernel.balance;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import org.maniple.api.mesh.ExpertBalancer;
import org.maniple.api.mesh.ExpertPlacement;
import org.maniple.api.tensor.BlockScales;
import org.maniple.api.tensor.Tensor;
import org.maniple.kernel.execute.BetweenSteps;
import org.maniple.kernel.execute.ExpertTable;
import org.maniple.kernel.load.ExpertSlot;
import org.maniple.kernel.program.Piece;
import org.maniple.kernel.step.StepBatch;

/**
 * A rank's part in rebalancing. When a round begins, the ranks that share experts add up their loads, and each decides by itself, all alike. A thread
 * of its own brings the weights of one chunk and tells rank 0; when all have theirs, the next plan says so, and before that step the rank's own thread
 * puts the weights and the new placement in place. Only then are the weights of the next chunk brought.
 */
public final class ExpertMover implements BetweenSteps, AutoCloseable {

    private static final Duration END = Duration.ofSeconds(10);
    private static final long TOUCHED_AT_ONCE = 1 << 20;

    /** Brings the weights of one expert. Called by the mover's own thread. */
    @FunctionalInterface
    public interface Source {
        /**
         * Loads a slot.
         *
         * @param weight a stacked weight
         * @param expert which expert
         * @param memory gives memory for what cannot be used where it is mapped
         * @return what the slot needs
         */
        ExpertSlot load(Piece weight, int expert, LongFunction<MemorySegment> memory);
    }

    /**
     * Who this rank is among those that share its experts.
     *
     * @param rank its number
     * @param speaks whether it is the one that tells rank 0 what was decided
     * @param nodes machines that the ranks are on, as {@link ExpertBalancer#check} counts them
     */
    public record Self(int rank, boolean speaks, int nodes) {}

    private record Move(ExpertLayer layer, ExpertPlacement next) {}

    private record Replacement(Tensor weight, int slot, ExpertSlot with) {}

    private record Chunk(int round, int number, List<Move> moves, List<Replacement> replacements) {}

    private final Self self;
    private final List<ExpertLayer> layers;
    private final ExpertBalancer balancer;
    private final LoadSums sums;
    private final Source source;
    private final SlotMemory memory;
    private final Consumer<ExpertReport> reports;
    private final Optional<LoadWindow> window;
    private final ExecutorService worker;
    /** Used by the rank's own thread. */
    private long steps;
    private int version;
    /** The round that the worker works for; 0: none. */
    private volatile int active;
    /** Used by the worker. */
    private List<Move> moves = List.of();
    /** Guarded by this: what is ready to be committed, and the last round in which nothing more is to be done. */
    private @Nullable Chunk ready;
    private int finished;

    /**
     * A mover that has nothing to do yet.
     *
     * @param self which rank this is
     * @param layers the blocks whose experts may move; none if the stage has none
     * @param balancer decides
     * @param sums adds loads over the ranks that share these experts
     * @param source brings weights
     * @param memory gives memory for weights that are copied
     * @param reports takes reports to rank 0, without waiting; called by the mover's own thread
     */
    public ExpertMover(Self self, List<ExpertLayer> layers, ExpertBalancer balancer, LoadSums sums, Source source,
            LongFunction<MemorySegment> memory, Consumer<ExpertReport> reports) {
        this.self = self;
        this.layers = List.copyOf(layers);
        this.balancer = balancer;
        this.sums = sums;
        this.source = source;
        this.memory = new SlotMemory(memory);
        this.reports = reports;
        ExpertBalancer.Schedule schedule = balancer.schedule();
        this.window = layers.isEmpty()
                ? Optional.empty()
                : Optional.of(new LoadWindow(this::counts, size(layers), schedule.windowSteps(), schedule.intervalSteps()));
        this.worker = Executors
                .newSingleThreadExecutor(Thread.ofPlatform().name("experts of rank " + self.rank()).daemon().factory());
    }

    /**
     * How many experts some blocks have in all.
     *
     * @param layers the blocks
     * @return the number of counts that are added up
     */
    public static int size(List<ExpertLayer> layers) {
        return layers.stream().mapToInt(layer -> layer.table().placement().experts()).sum();
    }

    private void counts(long[] into) {
        int at = 0;
        for (ExpertLayer layer : layers) {
            ExpertTable table = layer.table();
            for (int expert = 0; expert < table.placement().experts(); expert++) {
                into[at++] = table.load(expert);
            }
        }
    }

    @Override
    public void before(StepBatch plan) {
        long step = steps++;
        if (window.isPresent()) {
            window.get().before(step);
        }
        switch (plan.expertOrder()) {
            case NONE -> {
            }
            case COLLECT -> collect(step, plan.expertRound());
            case COMMIT -> commit(plan.expertRound(), plan.expertChunk());
            case ABANDON -> drop();
        }
        if (plan.expertVersion() != version) {
            throw new IllegalStateException(
                    "experts of rank " + self.rank() + " are at version " + version + ", the plan of step "
                            + plan.stepNumber() + " is for version " + plan.expertVersion());
        }
    }

    private void collect(long step, int round) {
        drop();
        active = round;
        long[] loads = window.map(known -> known.sums(step)).orElse(new long[0]);
        if (window.isPresent()) {
            sums.add(loads);
        }
        work(round, () -> decide(round, loads));
    }

    private void commit(int round, int number) {
        version++;
        Chunk chunk;
        synchronized (this) {
            if (finished == round) {
                return;
            }
            chunk = ready;
            if (chunk == null || chunk.round() != round || chunk.number() != number) {
                throw new IllegalStateException("rank " + self.rank() + " is to commit chunk " + number + " of round " + round
                        + " of its experts, but has " + (chunk == null
                                ? "none ready"
                                : "chunk " + chunk.number() + " of round " + chunk.round() + " ready"));
            }
            ready = null;
        }
        for (Replacement replacement : chunk.replacements()) {
            replace(replacement);
        }
        for (Move move : chunk.moves()) {
            move.layer().table().replace(move.next());
        }
        work(round, () -> prepare(round, number + 1, List.of()));
    }

    private void replace(Replacement replacement) {
        replace(replacement.weight(), replacement.slot(), replacement.with().elements());
        replacement.with().factors().ifPresent(factors -> replace(
                replacement.weight().scales().map(BlockScales::factors).orElseThrow(), replacement.slot(), factors));
    }

    private void replace(Tensor tensor, int slot, MemorySegment with) {
        MemorySegment before = tensor.slot(slot);
        tensor.replace(slot, with);
        memory.give(before);
    }

    /** Gives up what has not been committed. */
    private void drop() {
        active = 0;
        Chunk chunk;
        synchronized (this) {
            chunk = ready;
            ready = null;
        }
        if (chunk != null) {
            chunk.replacements().forEach(this::giveBack);
        }
    }

    private void giveBack(Replacement replacement) {
        memory.give(replacement.with().elements());
        replacement.with().factors().ifPresent(memory::give);
    }

    private void work(int round, Runnable task) {
        try {
            worker.execute(() -> {
                try {
                    task.run();
                } catch (RuntimeException | OutOfMemoryError e) {
                    if (active == round) {
                        reports.accept(new ExpertReport(round, 0, false, String.valueOf(e.getMessage()), List.of()));
                    }
                }
            });
        } catch (RejectedExecutionException e) {
            throw new IllegalStateException("rank " + self.rank() + " is closed", e);
        }
    }

    private void decide(int round, long[] loads) {
        var pace = new Pace();
        var changes = new ArrayList<Move>();
        var decisions = new ArrayList<ExpertReport.Decision>();
        boolean even = balancedness(loads) >= balancer.schedule().threshold();
        int at = 0;
        for (ExpertLayer layer : layers) {
            ExpertPlacement current = layer.table().placement();
            double[] own = own(loads, at, current.experts());
            ExpertPlacement next = even
                    ? current
                    : balancer.rebalance(layer.table().layer(), own, current, layer.groups(), self.nodes());
            boolean changed = !next.equals(current);
            if (self.speaks()) {
                var counted = new ArrayList<Long>(own.length);
                for (int i = 0; i < own.length; i++) {
                    counted.add(loads[at + i]);
                }
                int chunk = changed ? changes.size() / balancer.schedule().layersPerChunk() : -1;
                decisions.add(new ExpertReport.Decision(layer.table().layer(), chunk, counted, next));
            }
            if (changed) {
                changes.add(new Move(layer, next));
            }
            at += own.length;
            pace.rest();
        }
        moves = List.copyOf(changes);
        prepare(round, 0, decisions);
    }

    /** The mean of all blocks; 1 if there are none. */
    private double balancedness(long[] loads) {
        double sum = 0;
        int at = 0;
        for (ExpertLayer layer : layers) {
            ExpertPlacement current = layer.table().placement();
            sum += current.balancedness(own(loads, at, current.experts()));
            at += current.experts();
        }
        return layers.isEmpty() ? 1 : sum / layers.size();
    }

    private static double[] own(long[] loads, int from, int count) {
        double[] own = new double[count];
        for (int i = 0; i < count; i++) {
            own[i] = loads[from + i];
        }
        return own;
    }

    /** Brings the weights of a chunk and says so. */
    private void prepare(int round, int number, List<ExpertReport.Decision> decisions) {
        int each = balancer.schedule().layersPerChunk();
        List<Move> own = moves.subList(Math.min(number * each, moves.size()), Math.min((number + 1) * each, moves.size()));
        var replacements = new ArrayList<Replacement>();
        boolean given = false;
        try {
            var pace = new Pace();
            for (Move move : own) {
                bring(round, move, replacements, pace);
            }
            synchronized (this) {
                given = active == round;
                if (given && own.isEmpty()) {
                    finished = round;
                } else if (given) {
                    ready = new Chunk(round, number, own, List.copyOf(replacements));
                }
            }
        } finally {
            if (!given) {
                replacements.forEach(this::giveBack);
            }
        }
        if (given) {
            reports.accept(new ExpertReport(round, number, own.isEmpty(), "", decisions));
        }
    }

    private void bring(int round, Move move, List<Replacement> replacements, Pace pace) {
        ExpertTable table = move.layer().table();
        ExpertPlacement current = table.placement();
        for (int slot = 0; slot < current.slots(table.part()); slot++) {
            int expert = move.next().expert(table.part(), slot);
            if (expert == current.expert(table.part(), slot)) {
                continue;
            }
            for (var weight : move.layer().weights().entrySet()) {
                if (active != round) {
                    return;
                }
                ExpertSlot brought = source.load(weight.getKey(), expert, memory::take);
                replacements.add(new Replacement(weight.getValue(), slot, brought));
                pace.rest();
                touch(round, brought.elements(), pace);
            }
        }
    }

    /** Reads the file now, so that no step has to wait for it. */
    private void touch(int round, MemorySegment elements, Pace pace) {
        for (long from = 0; elements.isMapped() && active == round && from < elements.byteSize(); from += TOUCHED_AT_ONCE) {
            elements.asSlice(from, Math.min(TOUCHED_AT_ONCE, elements.byteSize() - from)).load();
            pace.rest();
        }
    }

    /** Stops bringing weights; what has been replaced stays as it is. */
    @Override
    public void close() {
        active = 0;
        worker.shutdownNow();
        try {
            if (!worker.awaitTermination(END.toNanos(), TimeUnit.NANOSECONDS)) {
                throw new IllegalStateException("weights of experts are still being brought after " + END.toSeconds() + " s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
