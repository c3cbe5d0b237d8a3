package org.maniple.kernel.engine;

import java.util.List;
import org.maniple.kernel.step.StepBatch;
import org.maniple.kernel.step.StepBatch.Limits;
import org.maniple.kernel.step.StepBatch.Rows;

/**
 * Fills a batch, home by home, each up to the limits: decodes first, so that running streams go on, then chunks of prompts in the order of
 * arrival. With several batches in flight each takes its share of the sequences, so that every stage has something to do.
 */
final class StepPlanner {

    private final EngineOptions options;
    private final Limits limits;
    private final int depth;

    private int tokensLeft;
    private int spansLeft;
    private int blocksLeft;
    private int rowsLeft;

    StepPlanner(EngineOptions options, Limits limits, int depth) {
        this.options = options;
        this.limits = limits;
        this.depth = depth;
    }

    /**
     * Fills a batch with what is runnable and not in flight.
     *
     * @param homes with the admitted sequences
     * @param flight its batch has been cleared
     * @return whether there is anything in it
     */
    boolean plan(List<Home> homes, Flight flight) {
        for (int i = 0; i < homes.size(); i++) {
            fill(homes.get(i), flight);
        }
        return flight.batch().spans() > 0;
    }

    private void fill(Home home, Flight flight) {
        List<Sequence> running = home.running();
        tokensLeft = Math.min(options.maxBatchedTokens(), limits.maxTokens());
        spansLeft = Math.min(limits.maxSpans(), Math.ceilDiv(running.size(), depth));
        blocksLeft = limits.maxBlocks();
        rowsLeft = limits.maxRows();
        for (int i = 0; i < running.size(); i++) {
            Sequence sequence = running.get(i);
            if (sequence.decoding() && runnable(sequence)) {
                add(home, sequence, flight, Math.min(tokensLeft, sequence.length() - sequence.computed()));
            }
        }
        for (int i = 0; i < running.size(); i++) {
            Sequence sequence = running.get(i);
            if (!sequence.decoding() && runnable(sequence)) {
                add(home, sequence, flight, chunk(sequence));
            }
        }
    }

    private static boolean runnable(Sequence sequence) {
        return !sequence.inFlight() && !sequence.preempted() && !sequence.output.ended();
    }

    private int chunk(Sequence sequence) {
        int count = Math.min(tokensLeft, sequence.length() - sequence.computed());
        if (options.chunk() > 0) {
            count = Math.min(count, options.chunk());
        }
        return sequence.lacksPromptLogprobs() ? Math.min(count, rowsLeft) : count;
    }

    private void add(Home home, Sequence sequence, Flight flight, int wanted) {
        if (spansLeft == 0) {
            return;
        }
        int count = (int) Math.min(wanted, (long) blocksLeft * limits.blockSize() - sequence.computed());
        if (rowsLeft == 0 && sequence.computed() + count == sequence.length()) {
            count--;
        }
        if (count > 0) {
            count = Math.min(count, home.provide(sequence, sequence.computed() + count) - sequence.computed());
        }
        if (count <= 0) {
            return;
        }
        boolean completes = sequence.computed() + count == sequence.length();
        boolean all = sequence.lacksPromptLogprobs();
        Rows rows = all ? Rows.ALL : completes ? Rows.LAST : Rows.NONE;
        int table = Math.ceilDiv(sequence.computed() + count, limits.blockSize());
        StepBatch batch = flight.batch();
        flight.board(batch.spans(), sequence);
        batch.addSpan(sequence.home(), sequence.number, sequence.computed(), sequence.tokens(), sequence.computed(), count, rows,
                sequence.blocks(), table);
        if (all || completes && sequence.plan.needsFullRow(sequence.outputLength(), options.candidates())) {
            batch.needFullRows(true);
        }
        spansLeft--;
        tokensLeft -= count;
        blocksLeft -= table;
        rowsLeft -= all ? count : completes ? 1 : 0;
    }
}
