package org.maniple.kernel.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.maniple.api.ManipleException;
import org.maniple.api.engine.Engine;
import org.maniple.api.engine.Generation;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.ModelInfo;
import org.maniple.api.engine.UnitStatus;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.text.TextCodec;

/** With an engine that answers at once. */
class ModelBenchTest {

    private final ExecutorService thread = Executors.newSingleThreadExecutor();
    private final List<GenerationRequest> requests = new ArrayList<>();
    private boolean fails;

    @AfterEach
    void end() {
        thread.shutdownNow();
    }

    private record Running(String id) implements Generation {
        @Override
        public void cancel() {}
    }

    private final class Immediate implements Engine {
        @Override
        public ModelInfo model() {
            return new ModelInfo(List.of("m"), "m", "test", 100, 1000, List.of(), new ModelConfig("none", Map.of()));
        }

        @Override
        public Optional<TextCodec> text() {
            return Optional.empty();
        }

        @Override
        public Generation submit(GenerationRequest request, Consumer<GenerationEvent> listener) {
            requests.add(request);
            int tokens = request.sampling().maxTokens().orElseThrow();
            thread.execute(() -> {
                if (fails) {
                    listener.accept(new GenerationEvent.Failed("rank 1 is lost"));
                    return;
                }
                for (int i = 0; i < tokens; i++) {
                    listener.accept(new GenerationEvent.Tokens(List.of(1), "", List.of()));
                }
                listener.accept(new GenerationEvent.Finished(GenerationEvent.FinishReason.LENGTH, Optional.empty(), "",
                        request.prompt().length, tokens));
            });
            return new Running(request.id());
        }

        @Override
        public UnitStatus status() {
            throw new UnsupportedOperationException();
        }

        @Override
        public String version() {
            return "test";
        }
    }

    private List<ModelBench.Result> run(String tests) throws InterruptedException {
        return new ModelBench(new Immediate(), Duration.ZERO, text -> {}).run(BenchPlan.parse(tests), result -> {});
    }

    @Test
    void eachTestIsRepeatedAfterOnceThatDoesNotCount() throws InterruptedException {
        List<ModelBench.Result> results = run("pp16,tg4,repetitions=3");

        assertThat(results).extracting(result -> result.test().name()).containsExactly("pp16", "tg4");
        assertThat(results)
                .allSatisfy(result -> assertThat(result.tokensPerSecond().values()).hasSize(3).allMatch(value -> value > 0));
        assertThat(requests).hasSize(8);
    }

    @Test
    void promptsAreAsLongAsTheirTestSaysAndAnswersGoOnPastTheEnd() throws InterruptedException {
        run("pp16,tg4@d8,repetitions=1");

        assertThat(requests).extracting(request -> request.prompt().length).containsExactly(16, 16, 8, 8);
        assertThat(requests).allSatisfy(request -> {
            assertThat(java.util.Arrays.stream(request.prompt())).allMatch(token -> token >= 0 && token < 100);
            assertThat(request.sampling().ignoreEos()).isTrue();
        });
    }

    @Test
    void promptsOfRepetitionsDiffer() throws InterruptedException {
        run("pp16,repetitions=1");

        assertThat(requests.getFirst().prompt()).isNotEqualTo(requests.getLast().prompt());
    }

    @Test
    void streamsThatAreNeverAtWorkTogetherAreNoMeasurement() {
        assertThatThrownBy(() -> run("tg2x4,repetitions=1")).isInstanceOf(ManipleException.class)
                .hasMessageContaining("--max-num-seqs of at least 4");
    }

    @Test
    void whatTheEngineSaysWhenItFailsIsTheReason() {
        fails = true;
        assertThatThrownBy(() -> run("pp16,repetitions=1")).isInstanceOf(ManipleException.class).hasMessage("rank 1 is lost");
    }
}
