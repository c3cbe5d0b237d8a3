package org.maniple.kernel.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.maniple.api.engine.Engine;
import org.maniple.api.engine.EngineObserver;
import org.maniple.api.engine.EngineStatistics;
import org.maniple.api.engine.ExpertStatus;
import org.maniple.api.engine.Generation;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.ModelInfo;
import org.maniple.api.engine.OutputConstraint;
import org.maniple.api.engine.Pooling;
import org.maniple.api.engine.RefusedException;
import org.maniple.api.engine.RefusedException.Reason;
import org.maniple.api.engine.UnitStatus;
import org.maniple.api.text.TextCodec;
import org.maniple.kernel.structured.ConstraintCompiler;
import org.maniple.kernel.structured.ConstraintException;
import org.maniple.kernel.structured.Guide;
import org.maniple.kernel.structured.GuideThread;

/**
 * Takes requests on any thread, runs the steps on a thread of its own ({@link EngineLoop}) and delivers events on another. It is told by
 * the life cycle of the unit when the unit cannot go on ({@link #fail}).
 */
public final class UnitEngine implements Engine {

    private static final System.Logger LOG = System.getLogger(UnitEngine.class.getName());
    private static final Duration IDLE_INTERVAL = Duration.ofSeconds(1);

    private final ModelInfo model;
    private final Optional<TextCodec> codec;
    private final EngineOptions options;
    private final Supplier<UnitStatus> unit;
    private final Supplier<Optional<ExpertStatus>> experts;
    private final String version;
    private final RequestValidation validation;
    private final Optional<ConstraintCompiler> constraints;
    private final GuideThread guides;
    private final OutputThread output;
    private final Observers observers = new Observers();
    private final EngineLoop loop;
    private final Thread thread;
    private final int seats;
    private final int hiddenWidth;
    private final int places;
    private final LongSupplier seeds;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition work = lock.newCondition();
    private final Condition ended = lock.newCondition();

    // guarded by the lock
    private final Map<String, Sequence> live = new HashMap<>();
    private final WaitingQueue waiting;
    private int running;
    private long numbers;
    private boolean attention;
    private @Nullable String refusal = "The engine has not been started";
    private @Nullable String failure;
    private boolean closing;
    private boolean forgetting;
    private long refusedForRequests;
    private long refusedForTokens;

    /**
     * An engine that is not started.
     *
     * @param model the model that the unit serves
     * @param codec its tokenizer, if there is one
     * @param pipeline the ranks
     * @param options its limits
     * @param unit what the life cycle knows about the unit; its figures of requests and blocks are ignored
     * @param experts where experts are, if they are spread over ranks
     * @param version the version of the product
     */
    public UnitEngine(
            ModelInfo model,
            Optional<TextCodec> codec,
            StepPipeline pipeline,
            EngineOptions options,
            Supplier<UnitStatus> unit,
            Supplier<Optional<ExpertStatus>> experts,
            String version) {
        int listed = Math.min(RequestValidation.MAX_LOGPROBS, model.vocabulary());
        if (options.candidates() < listed) {
            throw new IllegalArgumentException(
                    "A step brings [" + options.candidates() + "] candidates for each row; log-probabilities "
                            + "need " + listed);
        }
        this.model = model;
        this.codec = codec;
        this.seeds = seeds(options.seed());
        this.options = options;
        this.unit = unit;
        this.experts = experts;
        this.version = version;
        int blocks = Math.min(options.kvBlocks(), pipeline.limits().maxBlocks());
        int cacheTokens = (int) Math.min(Integer.MAX_VALUE, (long) blocks * pipeline.limits().blockSize());
        int homes = pipeline.limits().homes();
        validation = new RequestValidation(model, cacheTokens, codec.isPresent(), homes, options.scheduling().usesPriority());
        hiddenWidth = pipeline.hiddenWidth();
        seats = Math.multiplyExact(options.maxSequences(), homes);
        // Requests that have ended but whose last events are still to be delivered count too, hence twice.
        places = 2 * (options.maxQueued() + seats);
        // Some may come once more between their last event and their release.
        output = new OutputThread(2 * places, this::done);
        constraints = codec.map(each -> new ConstraintCompiler(each, model.vocabulary()));
        guides = new GuideThread(places);
        var order = new SequenceOrder(options.scheduling().order());
        waiting = new WaitingQueue(order);
        loop = new EngineLoop(model, pipeline, options, order, output, guides, observers);
        thread = Thread.ofPlatform().name("maniple-engine").daemon().unstarted(this::run);
    }

    /** Seeds for requests that bring none: repeatable in the order of their arrival if there is one to start from. */
    private static LongSupplier seeds(OptionalLong first) {
        if (first.isEmpty()) {
            return () -> ThreadLocalRandom.current().nextLong();
        }
        var random = new Random(first.getAsLong());
        return random::nextLong;
    }

    /** Starts its threads and takes requests from now on. Called once. */
    public void start() {
        lock.lock();
        try {
            if (failure == null) {
                refusal = null;
            }
        } finally {
            lock.unlock();
        }
        output.start();
        guides.start();
        thread.start();
    }

    @Override
    public ModelInfo model() {
        return model;
    }

    @Override
    public Optional<TextCodec> text() {
        return codec;
    }

    @Override
    public String version() {
        return version;
    }

    @Override
    public Generation submit(GenerationRequest request, Consumer<GenerationEvent> listener) {
        var times = new RequestTimes(request, System.nanoTime());
        int maxLength = validation.maxLength(request);
        Pool pool = request.pooling().map(this::pool).orElse(null);
        Guide guide = request.sampling().constraint().map(this::guide).orElse(null);
        var plan = new SamplingPlan(request.sampling(), seeds.getAsLong(), model, guide);
        lock.lock();
        try {
            checkAccepted(request);
            var delivery = new RequestOutput(request, new Delivery(times, listener), codec);
            var sequence = new Sequence(numbers++, request, plan, pool, delivery, times, maxLength);
            live.put(request.id(), sequence);
            if (guide != null) {
                guides.hand(guide);
            }
            waiting.add(sequence);
            wake();
            return new RunningGeneration(request.id(), () -> cancel(sequence));
        } finally {
            lock.unlock();
        }
    }

    private Pool pool(Pooling how) {
        if (hiddenWidth == 0) {
            throw new RefusedException(Reason.INVALID,
                    "This model gives no embeddings: what it knows before it makes logits cannot be had of its graph");
        }
        return new Pool(how, hiddenWidth);
    }

    /** On the caller's thread, so that what is hard to compile keeps nobody else waiting. */
    private Guide guide(OutputConstraint constraint) {
        ConstraintCompiler compiler = constraints.orElseThrow(() -> new RefusedException(Reason.INVALID,
                "structured output needs a tokenizer; this unit was started with skip-tokenizer-init"));
        try {
            return compiler.guide(constraint);
        } catch (ConstraintException impossible) {
            throw new RefusedException(Reason.INVALID, String.valueOf(impossible.getMessage()));
        }
    }

    private void checkAccepted(GenerationRequest request) {
        if (refusal != null) {
            throw new RefusedException(Reason.UNAVAILABLE, refusal);
        }
        if (live.containsKey(request.id())) {
            throw new RefusedException(Reason.INVALID,
                    "There is a running request with the id [" + request.id() + "] already; ids must differ");
        }
        int vacant = Math.max(0, seats - running);
        if (waiting.size() >= options.maxQueued() + vacant || live.size() >= places) {
            refusedForRequests++;
            throw new RefusedException(Reason.OVERLOADED,
                    "Too many requests wait [" + waiting.size() + "]; at most " + options.maxQueued()
                            + " may (max-num-queued-reqs). Try again later.");
        }
        long most = options.scheduling().maxQueuedTokens();
        // One that is longer than that by itself must have a chance, too.
        if (!waiting.isEmpty() && waiting.tokens() + request.prompt().length > most) {
            refusedForTokens++;
            throw new RefusedException(Reason.OVERLOADED,
                    "Too many tokens wait [" + waiting.tokens() + ", with this request "
                            + (waiting.tokens() + request.prompt().length)
                            + "]; at most " + most + " may (max-num-queued-tokens). Try again later.");
        }
    }

    private void cancel(Sequence sequence) {
        sequence.cancelled = true;
        lock.lock();
        try {
            wake();
        } finally {
            lock.unlock();
        }
    }

    private void wake() {
        attention = true;
        work.signal();
    }

    /**
     * The unit cannot go on: every request ends with this reason, and later ones are refused. Any thread may call it; only the first
     * reason counts.
     *
     * @param reason a sentence for clients
     */
    public void fail(String reason) {
        failFirst(reason);
    }

    /** Returns whether it had not failed before. */
    private boolean failFirst(String reason) {
        lock.lock();
        try {
            if (failure != null) {
                return false;
            }
            failure = reason;
            refusal = reason;
            for (Sequence sequence : live.values()) {
                sequence.output.end(new Ending.Failure(reason));
                output.wake(sequence);
            }
            waiting.clear();
            wake();
            return true;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Refuses further requests and waits for the running ones.
     *
     * @param limit how long
     * @return whether all have ended
     * @throws InterruptedException if the thread is interrupted
     */
    public boolean drain(Duration limit) throws InterruptedException {
        lock.lock();
        try {
            if (refusal == null) {
                refusal = "The unit is shutting down and takes no more requests";
            }
            long left = limit.toNanos();
            while (!live.isEmpty()) {
                if (left <= 0) {
                    return false;
                }
                left = ended.awaitNanos(left);
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Ends what still runs, tells the ranks to leave their loops unless the unit has failed, and ends the threads.
     *
     * @param limit how long to wait for the step in flight and the last events
     * @throws InterruptedException if the thread is interrupted
     */
    public void close(Duration limit) throws InterruptedException {
        long end = System.nanoTime() + limit.toNanos();
        lock.lock();
        try {
            closing = true;
            if (refusal == null) {
                refusal = "The unit is shutting down and takes no more requests";
            }
            wake();
        } finally {
            lock.unlock();
        }
        if (thread.isAlive() && !thread.join(limit)) {
            LOG.log(System.Logger.Level.WARNING, "The step in flight did not end within {0}", limit);
        }
        fail("The unit is shutting down");
        drain(Duration.ofNanos(Math.max(0, end - System.nanoTime())));
        guides.stop();
        output.stop();
    }

    @Override
    public boolean observe(EngineObserver observer) {
        observers.add(observer);
        return true;
    }

    @Override
    public int speculativeTokens() {
        return options.speculation().tokens();
    }

    @Override
    public UnitStatus status() {
        UnitStatus known = unit.get();
        lock.lock();
        try {
            List<String> reasons = new ArrayList<>(known.reasons());
            if (refusal != null && !reasons.contains(refusal)) {
                reasons.add(refusal);
            }
            return new UnitStatus(known.ready() && refusal == null, reasons, known.epoch(), known.ranks(), known.links(),
                    known.configuration(), running, waiting.size(), options.kvBlocks() * loop.homes().all().size(),
                    loop.homes().freeBlocks(), homes());
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Optional<Duration> stepAge() {
        return loop.stepAge();
    }

    @Override
    public Optional<ExpertStatus> experts() {
        return experts.get();
    }

    /** The loop changes its homes under the lock only, which the caller holds. */
    private List<UnitStatus.HomeStatus> homes() {
        return loop.homes().all().stream().map(home -> new UnitStatus.HomeStatus(home.number(), home.running().size(),
                waiting.pinnedTo(home.number()), home.admitted(), home.totalBlocks(), home.freeBlocks(),
                home.preemptions(), home.cacheQueries(), home.cacheHits())).toList();
    }

    @Override
    public EngineStatistics statistics() {
        lock.lock();
        try {
            Homes homes = loop.homes();
            int blocks = Math.multiplyExact(options.kvBlocks(), homes.all().size());
            return new EngineStatistics(homes.preemptions(), homes.cacheQueries(), homes.cacheHits(), waiting.tokens(),
                    refusedForRequests, refusedForTokens, 1 - homes.freeBlocks() / (double) blocks);
        } finally {
            lock.unlock();
        }
    }

    /** What is published goes before the next request begins; the engine's thread does it. */
    @Override
    public void resetPrefixCache() {
        lock.lock();
        try {
            forgetting = true;
            wake();
        } finally {
            lock.unlock();
        }
    }

    /** On the output thread, after a request's last event. */
    private void done(Sequence sequence) {
        lock.lock();
        try {
            live.remove(sequence.request.id(), sequence);
            ended.signalAll();
            // It may have been ended by its text, which the loop does not know yet.
            wake();
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        try {
            boolean busy = false;
            while (exchange(busy)) {
                busy = loop.step();
            }
        } catch (RuntimeException | Error broken) {
            String message = broken.getMessage();
            boolean first = failFirst("The unit cannot go on: " + (message == null ? broken.toString() : message));
            // Where the life cycle has noticed before, this is only the consequence.
            LOG.log(first ? System.Logger.Level.ERROR : System.Logger.Level.DEBUG, "The engine stops", broken);
        }
    }

    /** What passes between callers and the loop, under the lock. Returns whether to go on. */
    private boolean exchange(boolean busy) {
        boolean idle = false;
        boolean last;
        lock.lock();
        try {
            if (!busy) {
                idle = !awaitWork();
            }
            attention = false;
            if (failure != null) {
                return false;
            }
            last = closing;
            if (!last) {
                if (forgetting) {
                    forgetting = false;
                    loop.homes().resetCaches();
                }
                loop.admit(waiting);
                running = loop.homes().running();
            }
        } finally {
            lock.unlock();
        }
        if (last) {
            loop.shutdown();
            return false;
        }
        if (idle) {
            loop.idle();
        }
        return true;
    }

    /** Waits, at most until it is time for a sign of life. Returns whether there is work. */
    private boolean awaitWork() {
        try {
            long left = IDLE_INTERVAL.toNanos();
            while (!attention && left > 0) {
                left = work.awaitNanos(left);
            }
            return attention;
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException("The engine's thread was interrupted", interrupted);
        }
    }

    /** Sees a request's events on their way, and tells of its end before anybody can act on the last one. Used by the output thread. */
    private final class Delivery implements Consumer<GenerationEvent> {

        private final RequestTimes times;
        private final Consumer<GenerationEvent> listener;
        private int tokens;

        Delivery(RequestTimes times, Consumer<GenerationEvent> listener) {
            this.times = times;
            this.listener = listener;
        }

        @Override
        public void accept(GenerationEvent event) {
            switch (event) {
                case GenerationEvent.Tokens some -> tokens += some.tokens().size();
                case GenerationEvent.Finished finished -> observers.ended(times.ended(finished, System.nanoTime()));
                case GenerationEvent.Failed failed -> observers.ended(times.failed(tokens, System.nanoTime()));
                case GenerationEvent.Prompt prompt -> {
                }
                case GenerationEvent.Embedding vector -> {
                }
            }
            listener.accept(event);
        }
    }

    private record RunningGeneration(String id, Runnable cancellation) implements Generation {
        @Override
        public void cancel() {
            cancellation.run();
        }
    }
}
