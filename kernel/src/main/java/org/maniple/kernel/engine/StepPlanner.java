package org.maniple.kernel.engine;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.maniple.kernel.step.StepBatch;
import org.maniple.kernel.step.StepBatch.Limits;
import org.maniple.kernel.step.StepBatch.Rows;
import org.maniple.kernel.structured.Guide;

/**
 * Fills a batch, home by home, each up to the limits: sequences that have begun to answer first, so that running streams go on, then parts
 * of prompts, as many tokens as the pace allows beside them. With several batches in flight each takes its share of the sequences, so that
 * every stage has something to do.
 */
final class StepPlanner {

    private final EngineOptions options;
    private final Limits limits;
    private final SequenceOrder order;
    private final StepPace pace;
    private final int depth;
    private final Drafter drafter;

    private int tokensLeft;
    private int spansLeft;
    private int blocksLeft;
    private int rowsLeft;
    /** Whether no row of the spans so far is to become logits. */
    private boolean onlyPools;
    /** Sequences that have begun to answer and are still to be added, and the entries of their block tables: what guesses must leave. */
    private int answersLeft;
    private int tablesLeft;
    /** Tokens and rows that guesses may still take. */
    private int guessesLeft;

    StepPlanner(EngineOptions options, Limits limits, SequenceOrder order, StepPace pace, int depth, Drafter drafter) {
        this.drafter = drafter;
        this.options = options;
        this.limits = limits;
        this.order = order;
        this.pace = pace;
        this.depth = depth;
    }

    /**
     * Fills a batch with what is runnable and not in flight.
     *
     * @param homes with the admitted sequences
     * @param flight its batch has been cleared
     * @param only whether no other batch is in flight, so that there must be something in this one if anything can go on
     * @return whether there is anything in it
     */
    boolean plan(List<Home> homes, Flight flight, boolean only) {
        int streams = 0;
        int ofAllHomes = 0;
        int starting = 0;
        int position = 0;
        for (int i = 0; i < homes.size(); i++) {
            List<Sequence> running = homes.get(i).running();
            // Of homes that go on together the one whose prompt is longest takes longest.
            position = Math.max(position, firstPosition(running));
            int ofHome = streams(running);
            // Homes go through a step together: what one has to do the others wait for.
            streams = Math.max(streams, ofHome);
            ofAllHomes += ofHome;
            starting += starting(running);
        }
        int most = starting == 0 ? 0 : pace.promptTokens(streams, starting / (double) Math.max(1, ofAllHomes), position);
        fill(homes, flight, most);
        if (only && starting > 0 && flight.batch().spans() == 0) {
            // The streams that the prompts should not disturb lack KV blocks themselves.
            fill(homes, flight, Integer.MAX_VALUE);
        }
        flight.streams(streams);
        flight.promptPosition(position);
        return flight.batch().spans() > 0;
    }

    /** Sequences that have begun to answer, in this batch or in another one. */
    private static int streams(List<Sequence> running) {
        int count = 0;
        for (int i = 0; i < running.size(); i++) {
            Sequence sequence = running.get(i);
            count += sequence.decoding() && !sequence.preempted() && !sequence.output.ended() ? 1 : 0;
        }
        return count;
    }

    /** Where the first prompt goes on; 0 if there is none. */
    private static int firstPosition(List<Sequence> running) {
        for (int i = 0; i < running.size(); i++) {
            Sequence sequence = running.get(i);
            if (!sequence.decoding() && runnable(sequence)) {
                return sequence.computed();
            }
        }
        return 0;
    }

    /** Sequences whose prompts can go on. */
    private static int starting(List<Sequence> running) {
        int count = 0;
        for (int i = 0; i < running.size(); i++) {
            count += !running.get(i).decoding() && runnable(running.get(i)) ? 1 : 0;
        }
        return count;
    }

    private void fill(List<Home> homes, Flight flight, int promptTokens) {
        flight.begin();
        onlyPools = true;
        for (int i = 0; i < homes.size(); i++) {
            fill(homes.get(i), flight, promptTokens);
        }
    }

    private int spans(List<Sequence> running) {
        return Math.min(limits.maxSpans(), Math.ceilDiv(running.size(), depth));
    }

    private void fill(Home home, Flight flight, int promptTokens) {
        List<Sequence> running = home.running();
        tokensLeft = Math.min(options.maxBatchedTokens(), limits.maxTokens());
        spansLeft = spans(running);
        blocksLeft = limits.maxBlocks();
        rowsLeft = limits.maxRows();
        fillAnswers(home, flight);
        int answering = spans(running) - spansLeft;
        tokensLeft = Math.min(tokensLeft, promptTokens);
        int before = tokensLeft;
        fillPrompts(home, flight);
        flight.has(answering, before - tokensLeft);
    }

    private void fillAnswers(Home home, Flight flight) {
        List<Sequence> running = home.running();
        answersLeft = 0;
        tablesLeft = 0;
        for (int i = 0; i < running.size(); i++) {
            Sequence sequence = running.get(i);
            if (sequence.decoding() && runnable(sequence)) {
                answersLeft++;
                tablesLeft += table(sequence.length());
            }
        }
        guessesLeft = Math.min(tokensLeft, rowsLeft) - Math.min(answersLeft, spansLeft);
        if (starting(running) > 0) {
            // However many streams there are, prompts go on beside them.
            guessesLeft /= 2;
        }
        for (int i = 0; i < running.size(); i++) {
            Sequence sequence = running.get(i);
            // One that comes later may have lost its blocks meanwhile.
            if (sequence.decoding() && runnable(sequence)) {
                answersLeft--;
                tablesLeft -= table(sequence.length());
                add(home, sequence, flight, sequence.remaining());
            }
        }
    }

    private int table(int positions) {
        return Math.ceilDiv(positions, limits.blockSize());
    }

    /**
     * The first prompt in the order gets half of what there is, and what the others leave; the rest goes to equal ones that are nearer to their
     * end, the nearest first, so that short prompts do not wait for long ones and long ones still go on; then to the others in their order.
     */
    private void fillPrompts(Home home, Flight flight) {
        Sequence first = next(home, null);
        if (first == null || tokensLeft == 0) {
            return;
        }
        int shorter = 0;
        List<Sequence> running = home.running();
        for (int i = 0; i < running.size(); i++) {
            Sequence sequence = running.get(i);
            shorter += isShorter(home, sequence, first) ? sequence.remaining() : 0;
        }
        add(home, first, flight, Math.max(Math.ceilDiv(tokensLeft, 2), tokensLeft - shorter));
        for (Sequence each = shortest(home, first); each != null && tokensLeft > 0; each = shortest(home, first)) {
            int left = tokensLeft;
            add(home, each, flight, tokensLeft);
            if (left == tokensLeft) {
                break;
            }
        }
        for (Sequence each = next(home, null); each != null && tokensLeft > 0; each = next(home, each)) {
            add(home, each, flight, tokensLeft);
        }
    }

    /** The first sequence in the order, behind another one, whose prompt can go on. */
    private @Nullable Sequence next(Home home, @Nullable Sequence behind) {
        List<Sequence> running = home.running();
        for (int i = behind == null ? 0 : running.indexOf(behind) + 1; i < running.size(); i++) {
            if (isDue(home, running.get(i))) {
                return running.get(i);
            }
        }
        return null;
    }

    private boolean isShorter(Home home, Sequence sequence, Sequence first) {
        return sequence.remaining() < first.remaining() && order.areEqual(sequence, first) && isDue(home, sequence);
    }

    /** The sequence with the shortest rest of a prompt that is shorter than that of the first one. */
    private @Nullable Sequence shortest(Home home, Sequence first) {
        @Nullable
        Sequence best = null;
        List<Sequence> running = home.running();
        for (int i = 0; i < running.size(); i++) {
            Sequence sequence = running.get(i);
            if ((best == null || sequence.remaining() < best.remaining()) && isShorter(home, sequence, first)) {
                best = sequence;
            }
        }
        return best;
    }

    private static boolean isDue(Home home, Sequence sequence) {
        if (sequence.decoding() || !runnable(sequence)) {
            return false;
        }
        home.cache().follow(sequence);
        return !home.followsAnother(sequence);
    }

    private static boolean runnable(Sequence sequence) {
        return !sequence.inFlight() && !sequence.preempted() && !sequence.output.ended();
    }

    private void add(Home home, Sequence sequence, Flight flight, int most) {
        if (spansLeft == 0) {
            return;
        }
        int count = Math.min(room(sequence, Math.min(most, tokensLeft)), sequence.remaining());
        if (rowsLeft == 0 && count == sequence.remaining()) {
            count--;
        }
        if (count > 0) {
            count = Math.min(count, home.provide(sequence, sequence.computed() + count) - sequence.computed());
        }
        if (count > 0) {
            sequence.draft(sequence.decoding() && count == sequence.remaining() ? drafts(home, sequence) : 0);
            board(sequence, flight, count);
        }
    }

    /**
     * Guesses how a sequence goes on, as far as there is room once every other one that answers has its next token: tokens, rows, entries of
     * block tables, and KV blocks. What a constraint does not allow is cut off.
     */
    private int drafts(Home home, Sequence sequence) {
        int length = sequence.length();
        int most = Math.min(options.speculation().tokens(), sequence.maxLength - length - 1);
        most = Math.min(most, guessesLeft);
        most = (int) Math.min(most, (long) (blocksLeft - tablesLeft) * limits.blockSize() - length);
        if (most <= 0) {
            return 0;
        }
        int count = drafter.draft(sequence, most);
        Guide guide = sequence.plan.guide;
        if (count > 0 && guide != null) {
            count = guide.await() == null ? guide.admits(sequence.tokens(), length, count) : 0;
        }
        count = count == 0 ? 0 : Math.min(count, home.lend(sequence, length + count) - length);
        guessesLeft -= count;
        return count;
    }

    private int room(Sequence sequence, int most) {
        int count = most;
        if (options.chunk() > 0 && !sequence.decoding()) {
            count = Math.min(count, options.chunk());
        }
        if (sequence.needsAllRows()) {
            count = Math.min(count, rowsLeft);
        }
        return (int) Math.min(count, (long) blocksLeft * limits.blockSize() - sequence.computed());
    }

    private void board(Sequence sequence, Flight flight, int count) {
        boolean completes = count == sequence.remaining();
        boolean all = sequence.needsAllRows() || sequence.drafted() > 0;
        Rows rows = all ? Rows.ALL : completes ? Rows.LAST : Rows.NONE;
        int tokens = count + sequence.drafted();
        int table = table(sequence.computed() + tokens);
        StepBatch batch = flight.batch();
        flight.board(batch.spans(), sequence);
        batch.addSpan(sequence.home(), sequence.number, sequence.computed(), sequence.tokens(), sequence.computed(), tokens, rows,
                sequence.blocks(), table);
        if (rows != Rows.NONE) {
            boolean pooled = sequence.pool != null;
            onlyPools &= pooled;
            batch.needHiddenRows(pooled || batch.hiddenRows(), onlyPools);
            // Of rows that follow guesses none needs more than the first.
            if (!pooled && (all && sequence.drafted() == 0
                    || completes && sequence.plan.needsFullRow(sequence.outputLength(), options.candidates()))) {
                batch.needFullRows(true);
            }
        }
        spansLeft--;
        tokensLeft -= tokens;
        blocksLeft -= table;
        rowsLeft -= rows.count(tokens);
    }
}
