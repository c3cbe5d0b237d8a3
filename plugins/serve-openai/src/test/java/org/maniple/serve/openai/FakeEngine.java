package org.maniple.serve.openai;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.maniple.api.engine.Engine;
import org.maniple.api.engine.EngineObserver;
import org.maniple.api.engine.EngineStatistics;
import org.maniple.api.engine.ExpertStatus;
import org.maniple.api.engine.ExpertStatus.RankExperts;
import org.maniple.api.engine.Generation;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.GenerationEvent.FinishReason;
import org.maniple.api.engine.GenerationEvent.Finished;
import org.maniple.api.engine.GenerationEvent.Stop;
import org.maniple.api.engine.GenerationEvent.Tokens;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.ModelInfo;
import org.maniple.api.engine.TokenLogprob;
import org.maniple.api.engine.TokenLogprob.Candidate;
import org.maniple.api.engine.UnitStatus;
import org.maniple.api.engine.UnitStatus.HomeStatus;
import org.maniple.api.engine.UnitStatus.LinkStatus;
import org.maniple.api.engine.UnitStatus.RankStatus;
import org.maniple.api.engine.UnitStatus.StepTimes;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.text.IncrementalDecoder;
import org.maniple.api.text.TextCodec;

/** An engine for tests that always says the same thing, token by token, as the {@link ByteCodec} has it, unless told otherwise. */
final class FakeEngine implements Engine, AutoCloseable {

    static final String SAYS = "Grüße, 世界 🌍!";
    static final int CONTEXT = 256;

    /** What the engine does with a request, on its own thread. */
    interface Behaviour {
        void run(Running running) throws InterruptedException;
    }

    /** A request as a behaviour sees it. */
    record Running(GenerationRequest request, Consumer<GenerationEvent> listener, CountDownLatch cancelled)
            implements Generation {

        @Override
        public String id() {
            return request.id();
        }

        @Override
        public void cancel() {
            cancelled.countDown();
        }

        boolean isCancelled() {
            return cancelled.getCount() == 0;
        }
    }

    final ByteCodec codec = new ByteCodec();
    final ConcurrentLinkedQueue<Running> submitted = new ConcurrentLinkedQueue<>();
    private final ExecutorService threads = Executors
            .newCachedThreadPool(Thread.ofPlatform().daemon().name("fake-engine-", 0).factory());
    private final boolean withText;
    private final Map<String, Object> generationConfig;
    volatile Behaviour behaviour = this::say;
    volatile String says = SAYS;
    volatile Optional<RuntimeException> refusal = Optional.empty();
    volatile List<String> troubles = List.of();
    /** What a test tells what happens; a test may also say that nobody is told, as behind a server of another rank. */
    final ObserverList observer = new ObserverList();
    volatile StepTimes times = new StepTimes(7, 5_000_000_000L, 2_000_000_000L, 1_000_000_000L, 3);
    volatile OptionalInt home = OptionalInt.empty();
    volatile int guessed;
    volatile int cachedTokens;
    volatile String path = "/models/toy";
    volatile Optional<Duration> stepAge = Optional.empty();
    final AtomicInteger resets = new AtomicInteger();

    FakeEngine() {
        this(true, Map.of());
    }

    FakeEngine(boolean withText, Map<String, Object> generationConfig) {
        this.withText = withText;
        this.generationConfig = generationConfig;
    }

    @Override
    public ModelInfo model() {
        return new ModelInfo(List.of("/models/toy", "toy"), path, "ToyForCausalLM", ByteCodec.VOCABULARY, CONTEXT,
                List.of(ByteCodec.END), new ModelConfig("generation_config.json", generationConfig));
    }

    @Override
    public Optional<TextCodec> text() {
        return withText ? Optional.of(codec) : Optional.empty();
    }

    @Override
    public Generation submit(GenerationRequest request, Consumer<GenerationEvent> listener) {
        if (refusal.isPresent()) {
            throw refusal.get();
        }
        Running running = new Running(request, listener, new CountDownLatch(1));
        Behaviour now = behaviour;
        submitted.add(running);
        threads.execute(() -> {
            try {
                now.run(running);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        return running;
    }

    /** Says {@link #says}, then the end-of-sequence token. */
    void say(Running running) {
        GenerationRequest request = running.request();
        if (request.pooling().isPresent()) {
            running.listener().accept(new GenerationEvent.Embedding(vector(request.prompt())));
            running.listener()
                    .accept(new Finished(FinishReason.STOP, Optional.empty(), "", request.prompt().length, 0, cachedTokens));
            return;
        }
        int most = request.sampling().maxTokens().orElse(CONTEXT - request.prompt().length);
        if (request.sampling().promptLogprobs().isPresent()) {
            List<TokenLogprob> entries = new ArrayList<>();
            for (int i = 1; i < request.prompt().length; i++) {
                entries.add(logprob(request.prompt()[i], request.sampling().promptLogprobs().getAsInt()));
            }
            running.listener().accept(new GenerationEvent.Prompt(entries));
        }
        IncrementalDecoder decoder = codec.decoder(request.prompt(), true);
        int count = 0;
        for (byte b : says.getBytes(StandardCharsets.UTF_8)) {
            if (count == most || running.isCancelled()) {
                break;
            }
            int token = b & 0xFF;
            count++;
            List<TokenLogprob> logprobs = request.sampling().logprobs().isPresent()
                    ? List.of(logprob(token, request.sampling().logprobs().getAsInt()))
                    : List.of();
            running.listener().accept(new Tokens(List.of(token), withText ? decoder.push(token) : "", logprobs));
        }
        FinishReason reason = running.isCancelled()
                ? FinishReason.ABORT
                : count == most ? FinishReason.LENGTH : FinishReason.STOP;
        running.listener()
                .accept(new Finished(reason, Optional.empty(), withText ? decoder.finish() : "", request.prompt().length, count,
                        cachedTokens));
    }

    /** Says one token and then nothing until it is cancelled. */
    void hang(Running running) throws InterruptedException {
        running.listener().accept(new Tokens(List.of((int) 'a'), "a", List.of()));
        running.cancelled().await();
        running.listener().accept(new Finished(FinishReason.ABORT, Optional.empty(), "", running.request().prompt().length, 1));
    }

    /** Says one token and dies. */
    void die(Running running) {
        running.listener().accept(new Tokens(List.of((int) 'a'), "a", List.of()));
        running.listener().accept(new GenerationEvent.Failed("rank 2 on node-b is gone: connection closed"));
    }

    /** Stops as the given stop says. */
    Behaviour stopping(Stop stop) {
        return running -> {
            running.listener().accept(new Tokens(List.of((int) 'a'), "a", List.of()));
            running.listener()
                    .accept(new Finished(FinishReason.STOP, Optional.of(stop), "b", running.request().prompt().length, 2));
        };
    }

    /** The length, the last token, and two numbers that are always the same. */
    private static float[] vector(int[] prompt) {
        return new float[] {prompt.length, prompt[prompt.length - 1], 0.5f, -2};
    }

    private static TokenLogprob logprob(int token, int top) {
        List<Candidate> candidates = new ArrayList<>();
        for (int i = 0; i < top; i++) {
            candidates.add(new Candidate((token + i) % 128, -0.5 - i));
        }
        return new TokenLogprob(token, -0.5, 1, candidates);
    }

    @Override
    public boolean observe(EngineObserver listener) {
        observer.all.add(listener);
        return home.isEmpty();
    }

    @Override
    public int speculativeTokens() {
        return guessed;
    }

    @Override
    public OptionalInt home() {
        return home;
    }

    @Override
    public Optional<Duration> stepAge() {
        return stepAge;
    }

    @Override
    public UnitStatus status() {
        return new UnitStatus(troubles.isEmpty(), troubles, 3,
                List.of(new RankStatus(0, "node-a", 41, Map.of("pp", 0, "tp", 0), "ready", 1000, 300, 200, 512, 4096, times),
                        new RankStatus(1, "node-b", 42, Map.of("pp", 0, "tp", 1), "ready", 1001)),
                List.of(new LinkStatus(0, 1, "tcp eth0 10.0.0.2", 77)),
                Map.of("tensor-parallel-size", "2", "block-size", "16", "api-key", "secret"), 2,
                1, 64, 60, List.of(new HomeStatus(0, 2, 0, 9, 32, 29), new HomeStatus(1, 0, 1, 8, 32, 31, 4, 640, 480)));
    }

    @Override
    public EngineStatistics statistics() {
        return new EngineStatistics(4, 640, 480, 700, 5, 6, 0.0625);
    }

    @Override
    public Optional<ExpertStatus> experts() {
        return Optional.of(new ExpertStatus(true, 2, 1, List.of(
                new ExpertStatus.Layer(1, 3, List.of(new RankExperts(0, List.of(2, 0)), new RankExperts(1, List.of(1, 2))),
                        List.of(4L, 4L, 8L), OptionalDouble.of(0.75)),
                new ExpertStatus.Layer(2, 0, List.of(new RankExperts(0, List.of(0, 1)), new RankExperts(1, List.of(2, 0))),
                        List.of(),
                        OptionalDouble.empty()))));
    }

    @Override
    public void resetPrefixCache() {
        resets.incrementAndGet();
    }

    @Override
    public String version() {
        return "0.1.0";
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
