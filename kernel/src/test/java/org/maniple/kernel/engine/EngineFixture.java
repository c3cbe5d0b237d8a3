package org.maniple.kernel.engine;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.ModelInfo;
import org.maniple.api.engine.SchedulingPolicy;
import org.maniple.api.engine.UnitStatus;
import org.maniple.api.model.ModelConfig;
import org.maniple.kernel.step.StepBatch;
import org.maniple.testkit.GivenSettings;

/** An engine on a {@link FakePipeline}. */
final class EngineFixture implements AutoCloseable {

    static final int EOS = 63;
    static final int MAX_LENGTH = 128;

    final FakePipeline pipeline;
    final UnitEngine engine;

    private int requests;

    /** What an engine is built from. */
    static final class Setup {

        private int depth = 1;
        private int budget = 64;
        private int sequences = 8;
        private int chunk;
        private int queue = 100;
        private int blocks = 64;
        private int rows = 16;
        private int tableEntries = 200;
        private int homes = 1;
        private int length = MAX_LENGTH;
        private SchedulingPolicy policy = new ArrivalPolicy();
        private Map<String, Object> settings = Map.of();
        private long queuedTokens = Long.MAX_VALUE;
        private boolean sharing = true;
        private Speculation speculation = Speculation.OFF;

        static Setup standard() {
            return new Setup();
        }

        Setup depth(int value) {
            depth = value;
            return this;
        }

        Setup budget(int value) {
            budget = value;
            return this;
        }

        Setup chunk(int value) {
            chunk = value;
            return this;
        }

        Setup queue(int seats, int places) {
            sequences = seats;
            queue = places;
            return this;
        }

        Setup blocks(int value) {
            blocks = value;
            return this;
        }

        Setup step(int maxRows, int maxTableEntries) {
            rows = maxRows;
            tableEntries = maxTableEntries;
            return this;
        }

        Setup homes(int value) {
            homes = value;
            return this;
        }

        /** Tokens of a request. */
        Setup length(int value) {
            length = value;
            return this;
        }

        Setup policy(SchedulingPolicy value, Map<String, Object> itsSettings) {
            policy = value;
            settings = itsSettings;
            return this;
        }

        Setup queuedTokens(long value) {
            queuedTokens = value;
            return this;
        }

        Setup withoutPrefixCache() {
            sharing = false;
            return this;
        }

        Setup speculation(Speculation value) {
            speculation = value;
            return this;
        }

        EngineFixture start() {
            EngineFixture fixture = build();
            fixture.engine.start();
            return fixture;
        }

        EngineFixture build() {
            var limits = new StepBatch.Limits(budget, sequences, tableEntries, rows, 16, homes);
            // What steps take says nothing here.
            var scheduling = new EngineOptions.Scheduling(policy.order(new GivenSettings(policy.options(), settings, Map.of())),
                    policy.usesPriority(),
                    queuedTokens, sharing, 0, Duration.ZERO);
            return new EngineFixture(new FakePipeline(depth, limits, blocks), new EngineOptions(budget, sequences, chunk, queue,
                    blocks, OptionalLong.empty(), FakePipeline.CANDIDATES, scheduling, speculation), length);
        }
    }

    private EngineFixture(FakePipeline pipeline, EngineOptions options, int length) {
        this.pipeline = pipeline;
        engine = new UnitEngine(model(length), Optional.of(new LetterCodec()), pipeline, options, EngineFixture::unit,
                Optional::empty,
                "0.1.0");
    }

    static ModelInfo model() {
        return model(MAX_LENGTH);
    }

    private static ModelInfo model(int length) {
        return new ModelInfo(List.of("hash"), "/models/hash", "Hash", HashModel.VOCABULARY, length, List.of(EOS),
                new ModelConfig("test", Map.of()));
    }

    private static UnitStatus unit() {
        return new UnitStatus(true, List.of(), 1, List.of(), List.of(), Map.of(), 0, 0, 0, 0, List.of());
    }

    static int[] prompt(int length, long seed) {
        return new Random(seed).ints(length, 0, HashModel.VOCABULARY).toArray();
    }

    Recorder submit(int[] prompt, Samplings samplings) {
        var recorder = new Recorder();
        engine.submit(new GenerationRequest("request-" + requests++, prompt, samplings.build()), recorder);
        return recorder;
    }

    Recorder submitTo(int home, int[] prompt, Samplings samplings) {
        var recorder = new Recorder();
        engine.submit(new GenerationRequest("request-" + requests++, prompt, samplings.build(), OptionalInt.of(home)), recorder);
        return recorder;
    }

    Recorder submit(int[] prompt, Samplings samplings, int priority, String salt) {
        var recorder = new Recorder();
        engine.submit(new GenerationRequest("request-" + requests++, prompt, samplings.build(), OptionalInt.empty(), priority,
                Optional.of(salt).filter(given -> !given.isEmpty())), recorder);
        return recorder;
    }

    @Override
    public void close() throws InterruptedException {
        engine.close(Duration.ofSeconds(20));
    }
}
