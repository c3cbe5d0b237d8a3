package org.maniple.kernel.engine;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.maniple.api.engine.GenerationEvent.FinishReason;
import org.maniple.api.engine.GenerationEvent.Stop;
import org.maniple.api.engine.ModelInfo;
import org.maniple.api.engine.TokenLogprob;
import org.maniple.kernel.step.StepBatch;
import org.maniple.kernel.structured.Guide;
import org.maniple.kernel.structured.GuideThread;

/**
 * Admits, plans, submits, waits, chooses tokens. Used by the engine's thread alone; which sequences run changes only in {@link #admit}, so
 * that whoever keeps that apart may ask for it too. What plans change too is noted then.
 */
final class EngineLoop {

    private static final long NOTHING_RUNS = 0;

    private final StepPipeline pipeline;
    private final EngineOptions options;
    private final OutputThread output;
    private final GuideThread guides;
    private final Observers observers;
    private final Homes homes;
    private final StepPace pace;
    private final StepPlanner planner;
    private final Sampler sampler;
    private final LogitRow row;
    private final int depth;

    private final ArrayDeque<Flight> inFlight = new ArrayDeque<>();
    private final ArrayDeque<Flight> spare = new ArrayDeque<>();
    private final boolean passes;
    private @Nullable StepBatch begun;
    /** Of the batches in flight, those that guess. */
    private int passesInFlight;
    private long steps;
    /** When the results before came, or work began after there was none. */
    private long since;
    private boolean idle = true;
    /** When the step began whose results come next; {@link #NOTHING_RUNS} if there is none. Read by any thread. */
    private volatile long running = NOTHING_RUNS;
    /** Batches in flight that have tokens of prompts. */
    private int promptFlights;
    /** Tokens that each home has computed in a step. */
    private final int[] computed;

    EngineLoop(ModelInfo model, StepPipeline pipeline, EngineOptions options, SequenceOrder order, OutputThread output,
            GuideThread guides, Observers observers) {
        this.pipeline = pipeline;
        this.options = options;
        this.output = output;
        this.guides = guides;
        this.observers = observers;
        StepBatch.Limits limits = pipeline.limits();
        homes = new Homes(limits.homes(), options.maxSequences(), options.kvBlocks(), limits.blockSize(),
                options.scheduling().prefixCaching(), order);
        computed = new int[limits.homes()];
        depth = pipeline.depth();
        passes = options.speculation() instanceof Speculation.NextLayer;
        pace = new StepPace(options.scheduling().stretch(), options.scheduling().smooth());
        planner = new StepPlanner(options, pipeline.limits(), order, pace, depth, drafter(options.speculation()));
        sampler = new Sampler(model.vocabulary(), options.candidates());
        row = new LogitRow(model.vocabulary());
    }

    private static Drafter drafter(Speculation speculation) {
        return switch (speculation) {
            case Speculation.Off _ -> Drafter.NONE;
            case Speculation.Lookup lookup -> new PromptLookup(lookup.shortest(), lookup.longest());
            case Speculation.NextLayer _ -> (sequence, most) -> sequence.foretold() ? 1 : 0;
        };
    }

    Homes homes() {
        return homes;
    }

    /** Takes requests from the queue, in its order, while there are seats and blocks for them. */
    void admit(WaitingQueue waiting) {
        release(waiting);
        for (int i = waiting.size() - 1; i >= 0; i--) {
            Sequence sequence = waiting.get(i);
            if (sequence.cancelled) {
                abort(sequence);
            }
            if (sequence.output.ended()) {
                waiting.remove(i);
            }
        }
        homes.admit(waiting);
        homes.note();
    }

    /**
     * Ends what was cancelled. Of what is in no batch in flight, gives back the blocks of what has ended, and puts into the queue what has
     * been preempted.
     */
    private void release(WaitingQueue waiting) {
        for (int i = 0; i < homes.all().size(); i++) {
            release(homes.all().get(i), waiting);
        }
    }

    private void release(Home home, WaitingQueue waiting) {
        List<Sequence> running = home.running();
        int kept = 0;
        for (int i = 0; i < running.size(); i++) {
            Sequence sequence = running.get(i);
            if (sequence.cancelled && !sequence.output.ended()) {
                abort(sequence);
            }
            if (sequence.inFlight() || !sequence.output.ended() && !sequence.preempted()) {
                running.set(kept++, sequence);
            } else if (sequence.output.ended()) {
                home.vacate(sequence);
            } else {
                waiting.add(sequence);
            }
        }
        if (kept < running.size()) {
            running.subList(kept, running.size()).clear();
        }
    }

    private void abort(Sequence sequence) {
        sequence.output.end(new Ending.Finish(FinishReason.ABORT, Optional.empty(), sequence.outputLength()));
        output.wake(sequence);
    }

    /**
     * Sends as many batches as may be in flight and takes the results of the oldest.
     *
     * @return whether there was anything to do
     */
    boolean step() {
        while (mayDepart() && submit()) {
            // submit() does the work
        }
        if (inFlight.isEmpty()) {
            idle = true;
            return false;
        }
        StepResults results = pipeline.await();
        Flight flight = inFlight.removeFirst();
        running = inFlight.isEmpty() ? NOTHING_RUNS : System.nanoTime() | 1;
        check(results, flight.batch());
        if (flight.batch().kind() == StepBatch.KIND_DRAFT) {
            passesInFlight--;
            foretell(results, flight);
        } else {
            measure(flight);
            take(results, flight);
            if (passes) {
                guess(flight);
            }
        }
        spare.addLast(flight);
        return true;
    }

    /** On one stage results lie in the rank's own memory, so that they must be taken before anything else runs. */
    private boolean mayDepart() {
        return depth == 1 ? inFlight.isEmpty() : inFlight.size() - passesInFlight < depth;
    }

    /**
     * Has the layer that guesses go on from what a step has computed: every position with the token after it. The parts of prompts take part,
     * since the layer has a cache of its own; sequences that have lost their blocks do not. Before any further step departs.
     */
    private void guess(Flight done) {
        StepBatch step = done.batch();
        StepBatch pass = begun == null ? pipeline.begin() : begun;
        begun = pass;
        pass.clearForDraft(step.stepNumber());
        Flight flight = spare.isEmpty() ? new Flight(pass) : spare.removeFirst();
        flight.use(pass);
        for (int span = 0; span < step.spans(); span++) {
            Sequence sequence = done.sequence(span);
            int position = step.position(step.spanStart(span));
            int count = Math.min(sequence.computed(), sequence.length() - 1) - position;
            if (count > 0) {
                boolean wanted = sequence.decoding() && !sequence.output.ended();
                flight.board(pass.spans(), sequence);
                pass.addSpan(sequence.home(), sequence.number, position, sequence.tokens(), position + 1, count,
                        wanted ? StepBatch.Rows.LAST : StepBatch.Rows.NONE, sequence.blocks(),
                        Math.ceilDiv(position + count, step.blockSize()));
                pass.goesOnFrom(step.spanStart(span));
            }
        }
        if (pass.spans() == 0) {
            spare.addFirst(flight);
            return;
        }
        begun = null;
        passesInFlight++;
        depart(flight);
    }

    private void foretell(StepResults results, Flight flight) {
        StepBatch pass = flight.batch();
        int next = 0;
        for (int span = 0; span < pass.spans(); span++) {
            Sequence sequence = flight.sequence(span);
            sequence.arrive(0);
            if (pass.rowsOf(span) == StepBatch.Rows.LAST) {
                LogitRow guesses = row.at(results, next++);
                // Where it fills what it may become, nothing follows that could be guessed.
                int token = sequence.length() < sequence.maxLength
                        ? sampler.guess(sequence.plan, sequence.length(), guesses)
                        : Sampler.NONE;
                if (token != Sampler.NONE) {
                    sequence.foretell(token);
                }
            }
            if (sequence.preempted()) {
                homes.of(sequence).vacate(sequence);
            }
        }
    }

    private boolean submit() {
        StepBatch batch = begun == null ? pipeline.begin() : begun;
        begun = batch;
        batch.clear(steps);
        Flight flight = spare.isEmpty() ? new Flight(batch) : spare.removeFirst();
        flight.use(batch);
        if (!planner.plan(homes.all(), flight, inFlight.isEmpty())) {
            spare.addFirst(flight);
            return false;
        }
        begun = null;
        if (idle) {
            idle = false;
            since = System.nanoTime();
        }
        flight.besidePrompts(promptFlights > 0);
        promptFlights += flight.promptTokens() > 0 ? 1 : 0;
        steps++;
        long now = System.nanoTime();
        for (int span = 0; span < batch.spans(); span++) {
            Sequence sequence = flight.sequence(span);
            sequence.times.step(sequence.home(), now);
        }
        depart(flight);
        return true;
    }

    private void depart(Flight flight) {
        if (running == NOTHING_RUNS) {
            running = System.nanoTime() | 1;
        }
        inFlight.addLast(flight);
        pipeline.submit(flight.batch());
    }

    /** Streams wait for a step from the results before to its own, with all that is done in between. */
    private void measure(Flight flight) {
        long now = System.nanoTime();
        if (flight.promptTokens() > 0) {
            promptFlights--;
            if (flight.streams() == 0) {
                pace.alone(flight.promptTokens(), flight.promptPosition(), now - since);
            } else {
                pace.withPrompts(flight.streams(), flight.answering(), flight.promptTokens(), flight.promptPosition(),
                        now - since);
            }
        } else if (promptFlights == 0 && !flight.besidePrompts()) {
            pace.plain(flight.streams(), now - since);
        }
        since = now;
    }

    private void check(StepResults results, StepBatch batch) {
        if (results.batch() != batch || results.rows() != batch.selectedRows() || results.k() != options.candidates()) {
            throw new IllegalStateException(
                    "Results of " + results.batch() + " with " + results.rows() + " rows of " + results.k()
                            + " candidates came instead of those of " + batch + " with " + options.candidates());
        }
    }

    private void take(StepResults results, Flight flight) {
        StepBatch batch = flight.batch();
        long now = System.nanoTime();
        int first = 0;
        for (int span = 0; span < batch.spans(); span++) {
            int rows = batch.rowsOf(span).count(batch.spanLength(span));
            Sequence sequence = flight.sequence(span);
            Home home = homes.of(sequence);
            int known = batch.spanLength(span) - sequence.drafted();
            sequence.arrive(known);
            computed[sequence.home()] += batch.spanLength(span);
            if (!sequence.output.ended()) {
                advance(sequence, results, first, rows, known, now);
            }
            sequence.draft(0);
            home.cache().publish(sequence);
            home.trim(sequence);
            if (sequence.preempted()) {
                home.vacate(sequence);
            }
            first += rows;
        }
        for (int home = 0; home < computed.length; home++) {
            if (computed[home] > 0) {
                observers.step(home, computed[home]);
                computed[home] = 0;
            }
        }
    }

    private void advance(Sequence sequence, StepResults results, int first, int rows, int length, long now) {
        boolean completes = sequence.computed() == sequence.length();
        if (sequence.pool != null) {
            sequence.pool.add(results.hidden(), first, rows, sequence.computed() - rows);
            if (completes) {
                sequence.output.embedding(sequence.pool.vector());
                sequence.output.end(new Ending.Finish(FinishReason.STOP, Optional.empty(), 0));
                output.wake(sequence);
            }
            return;
        }
        if (sequence.wantsPromptLogprobs() && sequence.outputLength() == 0) {
            collectPromptLogprobs(sequence, results, first, rows, sequence.computed() - length);
        }
        if (completes) {
            int drafted = sequence.drafted();
            int next = first + rows - 1 - drafted;
            // The row of a guess counts if the guess is the token that has been chosen in its place.
            while (choose(sequence, row.at(results, next), now)) {
                next++;
            }
            if (drafted > 0) {
                observers.speculated(sequence.home(), drafted, drafted - sequence.drafted());
            }
            output.wake(sequence);
        }
    }

    /** The row of a position tells how likely the token at the next position was. */
    private void collectPromptLogprobs(Sequence sequence, StepResults results, int first, int rows, int position) {
        int top = sequence.request.sampling().promptLogprobs().orElse(0);
        // A preempted one has some of them already.
        for (int i = sequence.promptLogprobs.size() - position; i < rows && position + i + 1 < sequence.promptLength; i++) {
            sequence.promptLogprobs.add(Logprobs.of(row.at(results, first + i), sequence.tokens()[position + i + 1], top));
        }
        if (sequence.computed() == sequence.promptLength) {
            sequence.output.prompt(List.copyOf(sequence.promptLogprobs));
        }
    }

    /**
     * Chooses the next token.
     *
     * @return whether it had been guessed, so that the row of the guess tells what follows
     */
    private boolean choose(Sequence sequence, LogitRow logits, long now) {
        Guide guide = sequence.plan.guide;
        String hindrance = guide == null ? null : guide.await();
        if (hindrance != null) {
            sequence.output.end(new Ending.Failure(hindrance));
            return false;
        }
        int token = sampler.choose(sequence.plan, sequence.tokens(), sequence.promptLength, sequence.length(), logits);
        if (token == Sampler.NONE && guide != null && guide.mustEnd()) {
            // There is no token that says so, or it is not allowed.
            sequence.output.end(new Ending.Finish(FinishReason.STOP, Optional.empty(), sequence.outputLength()));
            return false;
        }
        if (token == Sampler.NONE) {
            sequence.output.end(
                    new Ending.Failure(
                            "No token may be chosen: a constraint on the output, allowed_token_ids, bad_words, min_tokens and logit_bias exclude "
                                    + "every one, or the model's logits are not numbers"));
            return false;
        }
        boolean foreseen = sequence.foresees(token);
        sequence.append(token);
        if (foreseen) {
            sequence.accept();
        }
        sequence.times.token(now, observers);
        Ending end = ending(sequence, token);
        sequence.output.token(token, logprob(sequence, logits, token), end);
        boolean goesOn = foreseen && end == null;
        if (guide != null && end == null && !sequence.plan.concludes(token)) {
            guide.chosen(token);
            if (goesOn) {
                guide.work();
            } else {
                guides.hand(guide);
            }
        }
        return goesOn;
    }

    private static @Nullable TokenLogprob logprob(Sequence sequence, LogitRow logits, int token) {
        var wanted = sequence.request.sampling().logprobs();
        return wanted.isPresent() ? Logprobs.of(logits, token, wanted.getAsInt()) : null;
    }

    private static @Nullable Ending ending(Sequence sequence, int token) {
        int tokens = sequence.outputLength();
        // A token that was chosen when there were fewer than the minimum does not end the output.
        boolean mayEnd = tokens >= sequence.request.sampling().minTokens();
        if (mayEnd && sequence.plan.isEndOfSequence(token)) {
            return new Ending.Finish(FinishReason.STOP, Optional.empty(), tokens);
        }
        if (mayEnd && sequence.plan.isStopToken(token)) {
            return new Ending.Finish(FinishReason.STOP, Optional.of(new Stop.Token(token)), tokens);
        }
        if (sequence.length() == sequence.maxLength) {
            return new Ending.Finish(FinishReason.LENGTH, Optional.empty(), tokens);
        }
        return null;
    }

    /** How long the step that runs has taken; empty if none does. Any thread may ask. */
    Optional<Duration> stepAge() {
        long began = running;
        return began == NOTHING_RUNS ? Optional.empty() : Optional.of(Duration.ofNanos(Math.max(0, System.nanoTime() - began)));
    }

    void idle() {
        pipeline.idle();
    }

    /** Waits for what is in flight, so that no rank is left in the middle of a step, and ends the ranks' loops. */
    void shutdown() {
        while (!inFlight.isEmpty()) {
            pipeline.await();
            inFlight.removeFirst();
        }
        pipeline.shutdown();
    }
}
