package org.maniple.kernel.engine;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.ModelInfo;
import org.maniple.api.engine.UnitStatus;
import org.maniple.api.model.ModelConfig;
import org.maniple.kernel.step.StepBatch;

/** An engine on a {@link FakePipeline}. */
final class EngineFixture implements AutoCloseable {

    static final int EOS = 63;
    static final int MAX_LENGTH = 128;

    final FakePipeline pipeline;
    final UnitEngine engine;

    private int requests;

    /** What an engine is built from. */
    record Setup(int depth, int budget, int sequences, int chunk, int queue, int blocks, int rows, int tableEntries, int homes) {

        static Setup standard() {
            return new Setup(1, 64, 8, 0, 100, 64, 16, 200, 1);
        }

        Setup depth(int value) {
            return new Setup(value, budget, sequences, chunk, queue, blocks, rows, tableEntries, homes);
        }

        Setup budget(int value) {
            return new Setup(depth, value, sequences, chunk, queue, blocks, rows, tableEntries, homes);
        }

        Setup chunk(int value) {
            return new Setup(depth, budget, sequences, value, queue, blocks, rows, tableEntries, homes);
        }

        Setup queue(int seats, int places) {
            return new Setup(depth, budget, seats, chunk, places, blocks, rows, tableEntries, homes);
        }

        Setup blocks(int value) {
            return new Setup(depth, budget, sequences, chunk, queue, value, rows, tableEntries, homes);
        }

        Setup step(int maxRows, int maxTableEntries) {
            return new Setup(depth, budget, sequences, chunk, queue, blocks, maxRows, maxTableEntries, homes);
        }

        Setup homes(int value) {
            return new Setup(depth, budget, sequences, chunk, queue, blocks, rows, tableEntries, value);
        }

        EngineFixture start() {
            EngineFixture fixture = build();
            fixture.engine.start();
            return fixture;
        }

        EngineFixture build() {
            var limits = new StepBatch.Limits(budget, sequences, tableEntries, rows, 16, homes);
            return new EngineFixture(new FakePipeline(depth, limits, blocks),
                    new EngineOptions(budget, sequences, chunk, queue, blocks, java.util.OptionalLong.empty(),
                            FakePipeline.CANDIDATES));
        }
    }

    private EngineFixture(FakePipeline pipeline, EngineOptions options) {
        this.pipeline = pipeline;
        engine = new UnitEngine(model(), Optional.of(new LetterCodec()), pipeline, options, EngineFixture::unit, Optional::empty,
                "0.1.0");
    }

    static ModelInfo model() {
        return new ModelInfo(List.of("hash"), "/models/hash", "Hash", HashModel.VOCABULARY, MAX_LENGTH, List.of(EOS),
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

    @Override
    public void close() throws InterruptedException {
        engine.close(Duration.ofSeconds(20));
    }
}
