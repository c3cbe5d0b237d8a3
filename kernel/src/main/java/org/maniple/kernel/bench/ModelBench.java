package org.maniple.kernel.bench;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.maniple.api.ManipleException;
import org.maniple.api.engine.Engine;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.Sampling;

/**
 * Times requests on an engine. Prompts are random; tokens are drawn from the most likely ones, since a model that repeats itself would use the same
 * experts again and again. Used by one thread.
 */
public final class ModelBench {

    /** Draws are made from so many tokens, which the engine has at hand without looking at all logits. */
    private static final int CHOICES = 40;
    private static final long LIMIT_MINUTES = 30;
    private static final double HARDLY_FASTER = 1.03;
    private static final int SETTLED = 4;
    private static final int MOST_WARM_UPS = 6;

    private final Engine engine;
    private final Consumer<String> progress;
    private final long warmUpNanos;
    private final RandomGenerator random = RandomGeneratorFactory.of("Xoshiro256PlusPlus").create(1);
    private int requests;

    /**
     * A bench that has measured nothing.
     *
     * @param engine takes requests
     * @param warmUp how long each test is run at least before it counts; several times as long if it gets faster all the time
     * @param progress told what comes next
     */
    public ModelBench(Engine engine, Duration warmUp, Consumer<String> progress) {
        this.warmUpNanos = warmUp.toNanos();
        this.engine = engine;
        this.progress = progress;
    }

    /**
     * What was measured.
     *
     * @param test what
     * @param tokensPerSecond of all streams together, one for each repetition
     */
    public record Result(ModelTest test, Samples tokensPerSecond) {}

    private record Event(int stream, long nanos, GenerationEvent event) {}

    /**
     * Runs all tests of a plan.
     *
     * @param plan the tests
     * @param each told each result at once
     * @return the results, in order
     * @throws ManipleException if the engine refuses or fails; says why
     * @throws InterruptedException if the thread is interrupted
     */
    public List<Result> run(BenchPlan plan, Consumer<Result> each) throws InterruptedException {
        var results = new ArrayList<Result>();
        for (ModelTest test : plan.tests()) {
            progress.accept(test.name() + ": warming up");
            warmUp(test);
            double[] samples = new double[plan.repetitions()];
            for (int i = 0; i < samples.length; i++) {
                progress.accept(test.name() + ": " + (i + 1) + " of " + samples.length);
                samples[i] = measure(test);
            }
            var result = new Result(test, Samples.of(samples));
            results.add(result);
            each.accept(result);
        }
        return List.copyOf(results);
    }

    /**
     * At least once, and for some time, since code is compiled while it runs; then until some runs in a row are hardly faster than the best before. With
     * several ranks that takes longest, as their compilers share the processors with all of them.
     */
    private void warmUp(ModelTest test) throws InterruptedException {
        long begin = System.nanoTime();
        double best = 0;
        int settled = 0;
        long passed;
        do {
            double now = measure(test);
            settled = now > best * HARDLY_FASTER ? 0 : settled + 1;
            best = Math.max(best, now);
            passed = System.nanoTime() - begin;
        } while (passed < warmUpNanos || settled < SETTLED && passed < MOST_WARM_UPS * warmUpNanos);
    }

    private double measure(ModelTest test) throws InterruptedException {
        return switch (test.kind()) {
            case PROMPT -> prompt(test);
            case GENERATE -> generate(test);
        };
    }

    /** From the request to the first token of the last stream. */
    private double prompt(ModelTest test) throws InterruptedException {
        long begin = System.nanoTime();
        BlockingQueue<Event> events = start(test.streams(), test.depth() + test.tokens(), 1);
        long end = begin;
        for (int finished = 0; finished < test.streams();) {
            Event event = next(events);
            switch (event.event()) {
                case GenerationEvent.Tokens tokens -> end = event.nanos();
                case GenerationEvent.Finished done -> finished++;
                default -> {
                }
            }
        }
        return perSecond((long) test.streams() * test.tokens(), end - begin);
    }

    /** What all streams make between the first token of the last one and the end of the first one: while all are at work. */
    private double generate(ModelTest test) throws InterruptedException {
        BlockingQueue<Event> events = start(test.streams(), Math.max(1, test.depth()), test.tokens() + test.streams());
        boolean[] begun = new boolean[test.streams()];
        int open = test.streams();
        long begin = 0;
        long end = 0;
        long made = 0;
        boolean over = false;
        for (int finished = 0; finished < test.streams();) {
            Event event = next(events);
            switch (event.event()) {
                case GenerationEvent.Tokens tokens -> {
                    if (open > 0 && !begun[event.stream()]) {
                        begun[event.stream()] = true;
                        open--;
                        begin = event.nanos();
                    } else if (open == 0 && !over) {
                        made += tokens.tokens().size();
                        end = event.nanos();
                    }
                }
                case GenerationEvent.Finished done -> {
                    over = true;
                    finished++;
                }
                default -> {
                }
            }
        }
        if (made == 0) {
            throw new ManipleException("streams of test [" + test.name()
                    + "] were never at work all at once; give --max-num-seqs of at least " + test.streams() + ", or more tokens");
        }
        return perSecond(made, end - begin);
    }

    private static double perSecond(long tokens, long nanos) {
        return tokens * 1e9 / Math.max(1, nanos);
    }

    private BlockingQueue<Event> start(int streams, int promptTokens, int maxTokens) {
        BlockingQueue<Event> events = new LinkedBlockingQueue<>();
        for (int stream = 0; stream < streams; stream++) {
            int own = stream;
            var request = new GenerationRequest("bench-" + requests++, promptOf(promptTokens), sampling(maxTokens));
            engine.submit(request, event -> events.add(new Event(own, System.nanoTime(), event)));
        }
        return events;
    }

    private int[] promptOf(int tokens) {
        return random.ints(tokens, 0, engine.model().vocabulary()).toArray();
    }

    private static Sampling sampling(int maxTokens) {
        return new Sampling(OptionalInt.of(maxTokens), 0, 1, 1, CHOICES, 0, 1, 0, 0, OptionalLong.of(1), Map.of(), List.of(),
                List.of(), List.of(), false, List.of(), true, OptionalInt.empty(), OptionalInt.empty(), true,
                Optional.empty());
    }

    private static Event next(BlockingQueue<Event> events) throws InterruptedException {
        Event event = events.poll(LIMIT_MINUTES, TimeUnit.MINUTES);
        if (event == null) {
            throw new ManipleException("the engine made no token within " + LIMIT_MINUTES + " minutes");
        }
        if (event.event() instanceof GenerationEvent.Failed failed) {
            throw new ManipleException(failed.message());
        }
        return event;
    }
}
