package org.maniple.kernel.execute;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.maniple.api.collective.Communicator;
import org.maniple.api.transport.Tag;
import org.maniple.api.transport.Wire;
import org.maniple.kernel.program.RankProgram;
import org.maniple.kernel.step.StepBatch;

/**
 * What every rank but rank 0 does: receive a step plan, run the program, send results if this is the rank that has them, and again. It
 * keeps nothing about requests but their KV blocks. For use by the rank's own thread.
 */
public final class RankLoop {

    private final RankProgram program;
    private final RankExecutor executor;
    private final Wire wire;
    private final StepBatch batch;
    private final BetweenSteps between;
    private final MemorySegment frame;
    private final @Nullable StageLink candidates;
    private final @Nullable StageLink logits;
    private final @Nullable StageLink hidden;
    private final @Nullable StageLink guesses;
    private volatile long steps;

    /**
     * Prepares the loop.
     *
     * @param program what this rank does
     * @param executor runs it
     * @param wire reaches rank 0
     * @param communicator reaches it too, in steps
     * @param batch to decode plans into
     * @param between what happens between steps
     */
    public RankLoop(RankProgram program, RankExecutor executor, Wire wire, Communicator communicator, StepBatch batch,
            BetweenSteps between) {
        this.between = between;
        this.program = program;
        this.executor = executor;
        this.wire = wire;
        this.batch = batch;
        this.frame = wire.allocate(StepBatch.maxBytes(batch.limits()));
        boolean answers = program.program().resultRank() == program.rank();
        this.candidates = answers ? new StageLink(communicator, 0, executor.candidates(), wire::allocate) : null;
        this.logits = answers ? new StageLink(communicator, 0, executor.logits(), wire::allocate) : null;
        this.hidden = answers
                ? executor.hidden().map(tensor -> new StageLink(communicator, 0, tensor, wire::allocate)).orElse(null)
                : null;
        this.guesses = answers && program.drafts()
                ? new StageLink(communicator, 0, executor.guesses().orElseThrow(), wire::allocate)
                : null;
    }

    /**
     * Runs until rank 0 says that the unit shuts down.
     *
     * @throws org.maniple.api.transport.TransportException if another rank is gone, or the wire was aborted
     * @throws org.maniple.kernel.step.StepFrameException if a plan makes no sense
     */
    @SuppressWarnings("NonAtomicVolatileUpdate") // only this thread writes it
    public void run() {
        while (true) {
            Wire.Pending pending = wire.receiveUpTo(0, Tag.of(Tag.Operation.PLAN, 0, steps), frame);
            wire.await(pending, Long.MAX_VALUE);
            batch.decode(frame, pending.bytes());
            if (batch.kind() == StepBatch.KIND_SHUTDOWN) {
                return;
            }
            if (batch.kind() == StepBatch.KIND_STEP) {
                between.before(batch);
                executor.run(batch);
                answer();
            } else if (batch.kind() == StepBatch.KIND_DRAFT) {
                executor.run(batch);
                if (guesses != null && batch.selectedRows() > 0) {
                    guesses.send();
                }
            }
            steps++;
        }
    }

    /**
     * How many plans have been carried out; may be asked by any thread.
     *
     * @return a count that only grows
     */
    public long steps() {
        return steps;
    }

    private void answer() {
        if (candidates == null || logits == null || batch.selectedRows() == 0) {
            return;
        }
        if (batch.wantsLogits()) {
            candidates.send();
        }
        if (batch.fullRows()) {
            logits.send();
        }
        if (batch.hiddenRows() && hidden != null) {
            hidden.send();
        }
    }

    @Override
    public String toString() {
        return "loop of rank " + program.rank();
    }
}
