package org.maniple.kernel.execute;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import org.jspecify.annotations.Nullable;
import org.maniple.api.collective.Communicator;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.Value;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.transport.Tag;
import org.maniple.api.transport.Wire;
import org.maniple.kernel.engine.StepPipeline;
import org.maniple.kernel.engine.StepResults;
import org.maniple.kernel.program.RankProgram;
import org.maniple.kernel.step.StepBatch;

/** Runs steps on the whole unit, as rank 0: sends plans, computes its own part, and collects results. For use by the engine's thread. */
public final class UnitPipeline implements StepPipeline {

    /** A batch with the memory of its plan. */
    private static final class Slot {
        private final StepBatch batch;
        private final MemorySegment frame;
        /** The plan, which is some ints long. */
        private final RowSlices plans;
        private final List<Wire.Pending> sends = new ArrayList<>();
        private final Results results = new Results();

        Slot(StepBatch batch, MemorySegment frame) {
            this.batch = batch;
            this.frame = frame;
            this.plans = new RowSlices(frame, Integer.BYTES, Math.toIntExact(frame.byteSize() / Integer.BYTES));
        }
    }

    private final RankExecutor executor;
    private final Wire wire;
    private final Communicator communicator;
    private final StepBatch.Limits limits;
    private final Queue<Slot> free = new ArrayDeque<>();
    private final Queue<Slot> running = new ArrayDeque<>();
    private final BetweenSteps between;
    private final int depth;
    private final int ranks;
    private final int resultRank;
    private final int width;
    private final @Nullable RowSlices candidateRows;
    private final @Nullable RowSlices logitRows;
    private final @Nullable RowSlices hiddenRows;
    private final Tensor candidateTensor;
    private final Tensor logitTensor;
    private final @Nullable Tensor hiddenTensor;
    private final int hiddenWidth;
    private final Tensor guessTensor;
    private @Nullable Slot filling;
    private @Nullable Slot answered;
    private long plans;

    /**
     * Prepares the pipeline.
     *
     * @param program what rank 0 does
     * @param executor runs it
     * @param wire reaches the other ranks
     * @param communicator reaches them too, in steps
     * @param limits of the steps
     * @param blocks KV blocks in all
     * @param between what happens between steps
     */
    public UnitPipeline(RankProgram program, RankExecutor executor, Wire wire, Communicator communicator, StepBatch.Limits limits,
            int blocks, BetweenSteps between) {
        this.between = between;
        this.executor = executor;
        this.wire = wire;
        this.communicator = communicator;
        this.limits = limits;
        this.depth = program.program().stages();
        this.ranks = program.program().mesh().ranks();
        this.resultRank = program.program().resultRank();
        int vocabulary = program.program().graph().vocabulary();
        this.width = program.program().graph().candidates().dims().getLast().extent();
        // A pass that guesses goes on from a step whose results are still looked at.
        int slots = program.program().draft().isPresent() ? 2 * depth : depth;
        for (int i = 0; i < slots; i++) {
            free.add(new Slot(new StepBatch(limits, blocks, vocabulary), wire.allocate(StepBatch.maxBytes(limits))));
        }
        this.hiddenWidth = program.program().graph().selected().map(UnitPipeline::width).orElse(0);
        if (resultRank == 0) {
            hiddenTensor = executor.hidden().orElse(null);
            hiddenRows = null;
            candidateTensor = executor.candidates();
            logitTensor = executor.logits();
            guessTensor = executor.guesses().orElse(candidateTensor);
            candidateRows = null;
            logitRows = null;
        } else {
            int[] shape = {limits.allRows(), width};
            candidateTensor = Tensor.of(org.maniple.api.tensor.DType.F32, shape, wire.allocate(4L * limits.allRows() * width));
            int[] whole = {limits.allRows(), vocabulary};
            logitTensor = Tensor.of(org.maniple.api.tensor.DType.F32, whole, wire.allocate(4L * limits.allRows() * vocabulary));
            guessTensor = candidateTensor;
            candidateRows = new RowSlices(candidateTensor.segment(), 4L * width, limits.allRows());
            logitRows = new RowSlices(logitTensor.segment(), 4L * vocabulary, limits.allRows());
            int[] states = {limits.allRows(), hiddenWidth};
            hiddenTensor = hiddenWidth == 0
                    ? null
                    : Tensor.of(org.maniple.api.tensor.DType.F32, states, wire.allocate(4L * limits.allRows() * hiddenWidth));
            hiddenRows = hiddenTensor == null ? null : new RowSlices(hiddenTensor.segment(), 4L * hiddenWidth, limits.allRows());
        }
    }

    private static int width(Value value) {
        return value.dims().stream().skip(1).mapToInt(Dim::extent).reduce(1, Math::multiplyExact);
    }

    @Override
    public int hiddenWidth() {
        return hiddenWidth;
    }

    @Override
    public int depth() {
        return depth;
    }

    @Override
    public StepBatch.Limits limits() {
        return limits;
    }

    @Override
    public StepBatch begin() {
        if (filling == null) {
            recycle();
            Slot slot = free.remove();
            for (int i = 0; i < slot.sends.size(); i++) {
                communicator.await(slot.sends.get(i));
            }
            slot.sends.clear();
            filling = slot;
        }
        return filling.batch;
    }

    @Override
    public void submit(StepBatch batch) {
        Slot slot = filling;
        if (slot == null || slot.batch != batch) {
            throw new IllegalArgumentException("only the batch that begin() gave can be submitted");
        }
        filling = null;
        boolean guesses = batch.kind() == StepBatch.KIND_DRAFT;
        if (!guesses) {
            between.order(batch);
        }
        send(slot);
        running.add(slot);
        if (!guesses) {
            between.before(batch);
        }
        executor.run(batch);
    }

    @Override
    public StepResults await() {
        recycle();
        Slot slot = running.remove();
        int rows = slot.batch.selectedRows();
        if (candidateRows != null && logitRows != null && rows > 0) {
            if (slot.batch.wantsLogits()) {
                communicator.receive(resultRank, candidateRows.first(rows));
            }
            if (slot.batch.fullRows()) {
                communicator.receive(resultRank, logitRows.first(rows));
            }
            if (slot.batch.hiddenRows() && hiddenRows != null) {
                communicator.receive(resultRank, hiddenRows.first(rows));
            }
        }
        answered = slot;
        Tensor best = slot.batch.kind() == StepBatch.KIND_DRAFT ? guessTensor : candidateTensor;
        return slot.results.of(slot.batch, rows, best.segment(), width / 2 - 1,
                slot.batch.fullRows() ? logitTensor.segment() : MemorySegment.NULL,
                slot.batch.hiddenRows() && hiddenTensor != null ? hiddenTensor.segment() : MemorySegment.NULL);
    }

    @Override
    public void idle() {
        wire.progress();
    }

    @Override
    public void shutdown() {
        var bye = new StepBatch(limits, 1, 1);
        bye.signal(StepBatch.KIND_SHUTDOWN, plans);
        var slot = new Slot(bye, wire.allocate(StepBatch.maxBytes(limits)));
        send(slot);
        slot.sends.forEach(communicator::await);
    }

    private void recycle() {
        if (answered != null) {
            free.add(answered);
            answered = null;
        }
    }

    private void send(Slot slot) {
        if (ranks == 1) {
            plans++;
            return;
        }
        MemorySegment plan = slot.plans.first(Math.toIntExact(slot.batch.encode(slot.frame) / Integer.BYTES));
        for (int rank = 1; rank < ranks; rank++) {
            slot.sends.add(wire.send(rank, Tag.of(Tag.Operation.PLAN, 0, plans), plan));
        }
        plans++;
    }

    /** Made once for each batch, since steps do not allocate; set anew in every step. */
    private static final class Results implements StepResults {
        private @Nullable StepBatch batch;
        private int rows;
        private MemorySegment candidates = MemorySegment.NULL;
        private int k;
        private MemorySegment logits = MemorySegment.NULL;
        private MemorySegment hidden = MemorySegment.NULL;

        Results of(StepBatch ofBatch, int ofRows, MemorySegment someCandidates, int count, MemorySegment someLogits,
                MemorySegment someHidden) {
            hidden = someHidden;
            batch = ofBatch;
            rows = ofRows;
            candidates = someCandidates;
            k = count;
            logits = someLogits;
            return this;
        }

        @Override
        public StepBatch batch() {
            return Objects.requireNonNull(batch);
        }

        @Override
        public int rows() {
            return rows;
        }

        @Override
        public MemorySegment candidates() {
            return candidates;
        }

        @Override
        public int k() {
            return k;
        }

        @Override
        public MemorySegment logits() {
            return logits;
        }

        @Override
        public MemorySegment hidden() {
            return hidden;
        }
    }
}
