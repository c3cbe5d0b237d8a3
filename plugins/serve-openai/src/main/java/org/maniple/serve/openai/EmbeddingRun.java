package org.maniple.serve.openai;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.maniple.api.engine.Engine;
import org.maniple.api.engine.Generation;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.Pooling;
import org.maniple.api.engine.RefusedException;
import org.maniple.api.engine.Sampling;
import tools.jackson.core.JsonGenerator;

/**
 * A request for vectors of some inputs: a few of them at a time are the engine's, so that a long list neither fills the engine's queue nor keeps other
 * clients out. Safe for use by several threads.
 */
final class EmbeddingRun {

    /** Writes the reply. */
    @FunctionalInterface
    interface Reply {
        void write(JsonGenerator json, List<float[]> vectors, long cachedTokens);
    }

    private static final int TOGETHER = 32;

    private final String id;
    private final Exchange exchange;
    private final Engine engine;
    private final Workers workers;
    private final List<int[]> inputs;
    private final Pooling how;
    private final Treatment treatment;
    private final TimeLimits limits;
    private final Reply reply;

    private final float[] @Nullable [] vectors; // this and what follows: guarded by this
    private final List<Generation> running = new ArrayList<>();
    private int next;
    private int done;
    private long cached;
    private boolean over;

    EmbeddingRun(String id, Exchange exchange, Engine engine, Workers workers, List<int[]> inputs, Pooling how,
            Treatment treatment,
            TimeLimits limits, Reply reply) {
        this.id = id;
        this.exchange = exchange;
        this.engine = engine;
        this.workers = workers;
        this.inputs = inputs;
        this.how = how;
        this.treatment = treatment;
        this.limits = limits;
        this.reply = reply;
        this.vectors = new float[inputs.size()][];
    }

    /**
     * Begins. Called on a worker.
     *
     * @throws RefusedException if the engine does not take the first inputs
     */
    @SuppressWarnings("FutureReturnValueIgnored") // what comes when all is over changes nothing
    void start() {
        exchange.whenDisconnected(this::cancel);
        limits.whole()
                .ifPresent(limit -> exchange.loop().schedule(() -> tookTooLong(limit), limit.toMillis(), TimeUnit.MILLISECONDS));
        try {
            for (int i = 0; i < Math.min(TOGETHER, inputs.size()); i++) {
                submitNext();
            }
        } catch (RuntimeException refused) {
            cancel();
            throw refused;
        }
    }

    private void tookTooLong(Duration limit) {
        fail(ApiException.of(504, "The request took longer than " + limit.toMillis() / 1e3
                + " s, which is all the time that it, or this server (request-timeout), gives it."));
    }

    /** Gives the engine one more input, if there is one left. */
    private void submitNext() {
        int index;
        synchronized (this) {
            if (over || next == inputs.size()) {
                return;
            }
            index = next++;
        }
        var request = new GenerationRequest(id + "-" + index + "-" + exchange.id(), inputs.get(index), Sampling.greedy(1),
                treatment.group(), treatment.priority(), treatment.cacheSalt(), Optional.of(how));
        Generation generation = engine.submit(request, event -> arrived(index, event));
        boolean late;
        synchronized (this) {
            running.add(generation);
            late = over;
        }
        if (late) {
            generation.cancel();
        }
    }

    private void arrived(int index, GenerationEvent event) {
        switch (event) {
            case GenerationEvent.Embedding(float[] values) -> {
                synchronized (this) {
                    vectors[index] = values;
                }
            }
            case GenerationEvent.Finished finished -> finished(index, finished);
            case GenerationEvent.Failed failed -> fail(ApiException.engineDead(failed.message()));
            case GenerationEvent.Prompt prompt -> {
            }
            case GenerationEvent.Tokens tokens -> {
            }
        }
    }

    private void finished(int index, GenerationEvent.Finished finished) {
        boolean found;
        boolean complete;
        synchronized (this) {
            if (over) {
                return;
            }
            cached += finished.cachedTokens();
            found = vectors[index] != null;
            complete = found && ++done == inputs.size();
            over = complete;
        }
        if (!found) {
            fail(ApiException.later(1, "The request was ended before its vectors had been found."));
            return;
        }
        // Neither to write nor to submit is for the engine's thread.
        try {
            workers.execute(complete ? this::respond : this::goOn);
        } catch (ApiException busy) {
            fail(busy);
        }
    }

    private void goOn() {
        try {
            submitNext();
        } catch (RefusedException refused) {
            fail(ApiException.refused(refused));
        }
    }

    private void respond() {
        List<float[]> found;
        long fromCache;
        synchronized (this) {
            found = Arrays.stream(vectors).map(Objects::requireNonNull).toList();
            fromCache = cached;
        }
        exchange.respond(200, json -> reply.write(json, found, fromCache));
    }

    private void fail(ApiException problem) {
        if (cancel()) {
            exchange.fail(problem);
        }
    }

    /** Ends what runs. Returns whether it had not ended. */
    private boolean cancel() {
        List<Generation> ending;
        synchronized (this) {
            if (over) {
                return false;
            }
            over = true;
            ending = List.copyOf(running);
        }
        ending.forEach(Generation::cancel);
        return true;
    }
}
