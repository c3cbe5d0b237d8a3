package org.maniple.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.api.engine.EngineObserver;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.ModelInfo;
import org.maniple.api.engine.Sampling;
import org.maniple.api.engine.UnitStatus;
import org.maniple.kernel.engine.EngineOptions;
import org.maniple.kernel.engine.Speculation;
import org.maniple.kernel.engine.UnitEngine;
import org.maniple.kernel.step.StepBatch;

/** What threads that take part in steps allocate while tokens are generated: the engine's thread, which is rank 0, and the other ranks'. */
@Isolated("measures memory")
class DecodeAllocationTest {

    private static final int WINDOW = 60;
    private static final int WINDOWS = 10;
    /** Tokens of other requests that go on longer. */
    private static final int MORE = 200;
    /** Requests that a unit may take to become warm: loops that run once per token are compiled late. */
    private static final int REQUESTS = 12;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** The bytes that each thread has allocated, noted whenever another window of tokens is full. */
    private static final class Meter {
        private final List<Thread> threads;
        private final long[][] bytes;
        private final AtomicInteger tokens = new AtomicInteger();
        private final CountDownLatch ended = new CountDownLatch(1);
        private volatile String end = "";
        private int windows;

        Meter(List<Thread> threads) {
            this.threads = threads;
            this.bytes = new long[WINDOWS + 1][threads.size()];
        }

        void accept(GenerationEvent event) {
            switch (event) {
                case GenerationEvent.Tokens some -> {
                    if (tokens.addAndGet(some.tokens().size()) >= windows * WINDOW && windows <= WINDOWS) {
                        for (int i = 0; i < threads.size(); i++) {
                            bytes[windows][i] = THREADS.getThreadAllocatedBytes(threads.get(i).threadId());
                        }
                        windows++;
                    }
                }
                case GenerationEvent.Finished finished -> ended.countDown();
                case GenerationEvent.Failed failed -> {
                    end = failed.message();
                    ended.countDown();
                }
                case GenerationEvent.Prompt prompt -> {
                    // Not asked for.
                }
                case GenerationEvent.Embedding vector -> {
                    // Nor this.
                }
            }
        }

        /** What a thread allocated in each window. */
        List<Long> windowsOf(int thread) {
            var all = new ArrayList<Long>();
            for (int window = 1; window < windows; window++) {
                all.add(bytes[window][thread] - bytes[window - 1][thread]);
            }
            return all;
        }
    }

    /** Layouts of a dense model, of one with experts, of one with latent attention, and of a file with blocks of 4 and 6 bits. */
    static Stream<Arguments> models() {
        Path dense = Oracles.committed();
        Path experts = Oracles.reference("qwen2-moe");
        return Stream.of(Arguments.of(dense, Layout.of(1, 1), 0.0), Arguments.of(dense, Layout.of(1, 1), 0.8),
                Arguments.of(dense, Layout.of(2, 1), 0.0), Arguments.of(dense, Layout.of(1, 2), 0.0),
                Arguments.of(dense, Layout.of(2, 2), 0.8), Arguments.of(dense, Layout.of(1, 1).threads(2), 0.0),
                Arguments.of(experts, Layout.of(2, 1).experts(), 0.0), Arguments.of(experts, Layout.of(2, 2).experts(), 0.8),
                Arguments.of(experts, Layout.of(2, 1).attentionOf(2).experts().with("all2all-backend", "direct", ""), 0.0),
                Arguments.of(Oracles.reference("kimi-k2"), Layout.of(2, 1).attentionOf(2).experts(), 0.0));
    }

    static Stream<Arguments> files() {
        Path file = Oracles.directory().resolve("gguf/llama-q4_k_m.gguf");
        return Stream.of(Layout.of(1, 1), Layout.of(2, 1), Layout.of(1, 2))
                .map(layout -> Arguments.of(file, layout.with("activation-dtype", "auto", "activations"), 0.0));
    }

    @ParameterizedTest
    @MethodSource({"models", "files"})
    void noRankAllocatesForATokenOnceItIsWarm(Path model, Layout layout, double temperature) throws Exception {
        measure(model, layout, temperature, Speculation.OFF, 0);
    }

    @ParameterizedTest
    @MethodSource("halved")
    void norForOneOfAStepInHalves(Path model, Layout layout) throws Exception {
        assertThat(measure(model, layout.inHalvesFrom(2, 2), 0, Speculation.OFF, 3)).as("steps in halves")
                .allMatch(steps -> steps > WINDOW * WINDOWS);
    }

    static Stream<Arguments> halved() {
        Layout direct = Layout.of(2, 1).attentionOf(2).experts().with("all2all-backend", "direct", "");
        return Stream.of(Arguments.of(Oracles.committed(), Layout.of(2, 2)),
                Arguments.of(Oracles.reference("qwen2-moe"), direct));
    }

    static Stream<Arguments> guessing() {
        return Stream.of(
                Arguments.of(Oracles.committed(), Layout.of(1, 1), 0.0, new Speculation.Lookup(4, 1, 4)),
                Arguments.of(Oracles.model("deepseek-v3-mtp-bf16"), Layout.of(1, 2).withGuesses(), 0.8,
                        new Speculation.NextLayer()));
    }

    @ParameterizedTest
    @MethodSource("guessing")
    void norForOneThatIsGuessed(Path model, Layout layout, double temperature, Speculation speculation) throws Exception {
        measure(model, layout, temperature, speculation, 0);
    }

    /**
     * Asserts it.
     *
     * @param beside other requests that have tokens in the same steps
     * @return how many steps each rank has computed in halves
     */
    private static List<Long> measure(Path model, Layout layout, double temperature, Speculation speculation, int beside)
            throws Exception {
        var limits = new StepBatch.Limits(64, 4, 1024, 8, 16, 1);
        Set<Thread> before = Thread.getAllStackTraces().keySet();
        var unit = new VirtualUnit(model, layout, limits, 512);
        try (unit) {
            int candidates = unit.program().graph().candidates().dims().getLast().extent() / 2 - 1;
            var info = new ModelInfo(List.of("demo"), model.toString(), "Llama", unit.program().graph().vocabulary(), 2048,
                    List.of(), VirtualUnit.config(model));
            var engine = new UnitEngine(info, Optional.empty(), new LentPipeline(unit.pipeline()),
                    new EngineOptions(64, 4, 0, 10, 512, OptionalLong.of(1), candidates,
                            EngineOptions.Scheduling.DEFAULT, speculation),
                    () -> new UnitStatus(true, List.of(), 1, List.of(), List.of(), Map.of(), 0, 0, 0, 0, List.of()),
                    Optional::empty, "test");
            var observed = new AtomicLong();
            engine.observe(new EngineObserver() {
                @Override
                public void step(int home, int tokens) {
                    observed.addAndGet(tokens);
                }

                @Override
                public void nextToken(int home, long nanos) {
                    observed.addAndGet(nanos);
                }
            });
            engine.start();
            List<Thread> threads = Thread.getAllStackTraces().keySet().stream()
                    .filter(thread -> !before.contains(thread))
                    .filter(thread -> thread.getName().matches("maniple-engine|rank \\d+|maniple-cpu-\\d+"))
                    .toList();
            assertThat(threads).hasSize(unit.program().mesh().ranks() * layout.threads());
            var seen = new ArrayList<String>();
            boolean none = false;
            for (int number = 0; number < REQUESTS && !none; number++) {
                var others = new CountDownLatch(beside);
                for (int i = 0; i < beside; i++) {
                    var begun = new CountDownLatch(1);
                    engine.submit(request("request " + number + "." + i, 8 + i, temperature, WINDOW * WINDOWS + MORE), event -> {
                        begun.countDown();
                        if (event instanceof GenerationEvent.Finished) {
                            others.countDown();
                        }
                    });
                    assertThat(begun.await(100, TimeUnit.SECONDS)).as("a beginning of the output").isTrue();
                }
                var meter = new Meter(threads);
                engine.submit(request("request " + number, 5, temperature, WINDOW * WINDOWS + 20), meter::accept);
                assertThat(meter.ended.await(100, TimeUnit.SECONDS)).as("the end of the output").isTrue();
                assertThat(meter.end).isEmpty();
                assertThat(others.await(100, TimeUnit.SECONDS)).as("the end of the other outputs").isTrue();
                none = true;
                for (int i = 0; i < threads.size(); i++) {
                    List<Long> windows = meter.windowsOf(i);
                    seen.add("\nrequest " + number + ", " + threads.get(i).getName() + ": " + windows);
                    none &= windows.stream().allMatch(bytes -> bytes == 0);
                }
            }
            assertThat(none).as(
                    "a request of which no thread allocates a byte between its first and its last tokens; bytes for each %d tokens: %s",
                    WINDOW, seen).isTrue();
            engine.close(Duration.ofSeconds(10));
        }
        return unit.halvedSteps();
    }

    private static GenerationRequest request(String id, int first, double temperature, int tokens) {
        return new GenerationRequest(id, new int[] {first, 6, 7}, sampling(temperature, tokens));
    }

    private static Sampling sampling(double temperature, int tokens) {
        return new Sampling(OptionalInt.of(tokens), 0, temperature, 0.9, 0, 0, 1, 0, 0, OptionalLong.of(3),
                Map.of(),
                List.of(), List.of(), List.of(), false, List.of(), true, OptionalInt.empty(), OptionalInt.empty(), true,
                Optional.empty());
    }
}
