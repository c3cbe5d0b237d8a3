package org.maniple.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What happens when processes of a unit are killed, or told to end. */
class FaultIT {

    /** The promise to users: a lost rank is noticed within this time. */
    private static final Duration NOTICE = Duration.ofSeconds(2);
    /** The unit's own default of {@code fault-linger}. */
    private static final Duration DEFAULT_LINGER = Duration.ofSeconds(5);

    private final Distribution distribution = Distribution.find();

    @TempDir
    private Path folder;

    /** What the unit does when it loses a rank. */
    enum Work {
        IDLE, DECODE, PREFILL
    }

    /** How the unit's four ranks share the model: two stages, or experts spread over all of them and two groups with requests of their own. */
    enum Spread {
        STAGES, EXPERTS
    }

    record Loss(Spread spread, Work work, int rank) {}

    /** Ranks of both stages and both groups in all kinds of work; all combinations with {@code -Dmaniple.units=all}. */
    static Stream<Loss> losses() {
        return OracleUnits.all()
                ? Stream.of(Spread.values()).flatMap(spread -> Stream.of(Work.values())
                        .flatMap(work -> IntStream.range(1, 4).mapToObj(rank -> new Loss(spread, work, rank))))
                : Stream.of(new Loss(Spread.STAGES, Work.IDLE, 3), new Loss(Spread.EXPERTS, Work.DECODE, 1),
                        new Loss(Spread.STAGES, Work.PREFILL, 2));
    }

    static Stream<Work> works() {
        return OracleUnits.all() ? Stream.of(Work.values()) : Stream.of(Work.DECODE);
    }

    @ParameterizedTest
    @MethodSource("losses")
    void aKilledRankIsNoticedAndNamedAndEndsTheUnit(Loss loss) {
        try (UnitProcess unit = UnitProcess.ready(distribution, spec(loss.spread()).with("fault-linger", "2s"), folder)) {
            List<EventStream> streams = begin(loss.work(), unit.api());
            kill(unit.rank(loss.rank()));

            assertThat(unhealthy(unit.api(), NOTICE)).contains("rank " + loss.rank());
            streams.forEach(stream -> assertEndsWithAnErrorAbout(stream, "rank " + loss.rank()));
            assertThat(unit.exitCode(UnitProcess.END)).isEqualTo(1);
            assertThat(unit.output().text()).containsPattern("the unit has failed: rank " + loss.rank() + " on \\S+ ");
        }
    }

    @ParameterizedTest
    @MethodSource("works")
    void withoutTheServingRankNobodyAnswersAndTheRestEnds(Work work) {
        try (UnitProcess unit = UnitProcess.ready(distribution, spec().with("fault-linger", "2s"), folder)) {
            List<EventStream> streams = begin(work, unit.api());
            kill(unit.rank(0));

            streams.forEach(stream -> assertThat(stream.rest(NOTICE).done()).isFalse());
            assertThat(unit.exitCode(UnitProcess.END)).isEqualTo(1);
            assertThat(unit.output().text()).containsPattern("rank 0 \\(process \\d+\\) was killed by SIGKILL");
        }
    }

    @Test
    void healthIsAnsweredForFiveSecondsUnlessConfigured() {
        try (UnitProcess unit = UnitProcess.ready(distribution, spec(), folder)) {
            kill(unit.rank(1));
            assertThat(unhealthy(unit.api(), NOTICE)).contains("rank 1");
            long noticed = System.nanoTime();

            assertThat(unit.exitCode(UnitProcess.END)).isEqualTo(1);
            // It was noticed a moment before this test saw it.
            assertThat(Duration.ofNanos(System.nanoTime() - noticed)).isGreaterThan(DEFAULT_LINGER.minusSeconds(1));
        }
    }

    @Test
    void ranksDoNotOutliveTheProcessThatLaunchedThem() {
        try (UnitProcess unit = UnitProcess.ready(distribution, spec(), folder)) {
            assertThat(unit.processes()).hasSizeGreaterThanOrEqualTo(5);
            kill(unit.launcher());

            unit.assertNoneLeft(Duration.ofSeconds(10));
        }
    }

    @Test
    void toldToEndTheUnitFinishesRunningStreamsAndSucceeds() {
        try (UnitProcess unit = UnitProcess.ready(distribution, spec(), folder)) {
            EventStream stream = decode(unit.api(), 300);
            unit.terminate();

            EventStream.Whole whole = stream.rest(UnitProcess.END);
            assertThat(whole.finishReason()).isEqualTo("length");
            assertThat(whole.tokens()).hasSize(300);
            assertThat(whole.done()).isTrue();
            assertThat(unit.exitCode(UnitProcess.END)).isZero();
        }
    }

    /** Four ranks, and requests that take long: the positions of the model are not limited to those that it was trained for. */
    private UnitSpec spec() {
        return spec(Spread.STAGES);
    }

    private UnitSpec spec(Spread spread) {
        Path model = ModelFolder.changed(distribution.demoModel(), folder, Map.of("max_position_embeddings", 16384));
        UnitSpec spec = UnitSpec.of(model).with("served-model-name", "demo").with("skip-tokenizer-init", true)
                .with("tensor-parallel-size", 2).with("max-num-batched-tokens", 4096).with("kv-cache-memory-bytes", "128MiB");
        return switch (spread) {
            case STAGES -> spec.with("pipeline-parallel-size", 2);
            case EXPERTS -> spec.with("data-parallel-size", 2).with("enable-dp-attention", true)
                    .with("enable-expert-parallel", true).with("all2all-backend", "direct");
        };
    }

    private static List<EventStream> begin(Work work, Api api) {
        return switch (work) {
            case IDLE -> List.of();
            case DECODE -> List.of(decode(api, 8000), decode(api, 8000));
            case PREFILL -> List.of(prefill(api));
        };
    }

    /** A stream of which some tokens have come. */
    private static EventStream decode(Api api, int tokens) {
        EventStream stream = api.stream("/v1/completions", Map.of("prompt", List.of(0, 45, 407, 84), "max_tokens", tokens,
                "ignore_eos", true, "return_token_ids", true, "temperature", 0, "stream", true));
        stream.awaitEvents(5);
        return stream;
    }

    /** A stream that has begun, and whose first token is far away: steps of some thousand tokens take seconds. */
    private static EventStream prefill(Api api) {
        EventStream stream = api.stream("/v1/completions", Map.of("prompt", Collections.nCopies(12000, 45), "max_tokens", 5,
                "ignore_eos", true, "temperature", 0, "stream", true));
        pause(Duration.ofMillis(300));
        assertThat(api.get("/v1/cluster").get("requests").get("running").asInt()).isEqualTo(1);
        assertThat(stream.arrived()).as("the prompt is still being read").isLessThanOrEqualTo(1);
        return stream;
    }

    private static void assertEndsWithAnErrorAbout(EventStream stream, String rank) {
        EventStream.Whole whole = stream.rest(Duration.ofSeconds(5));

        assertThat(whole.problem()).as("the connection is closed in order").isEmpty();
        assertThat(whole.events().getLast().path("error").path("message").asString("")).contains(rank);
        assertThat(whole.finishReason()).isEmpty();
    }

    /** Kills a process as the kernel would when memory runs out, and makes sure that it is gone. */
    private static void kill(ProcessHandle process) {
        assertThat(process.isAlive()).isTrue();
        process.destroyForcibly();
        assertThat(process.onExit().orTimeout(10, TimeUnit.SECONDS)).succeedsWithin(Duration.ofSeconds(10));
        assertThat(process.isAlive()).isFalse();
    }

    /** Waits until health is bad; says why it is. */
    private static String unhealthy(Api api, Duration limit) {
        long deadline = System.nanoTime() + limit.toNanos();
        try {
            Api.Reply reply = api.ask("/health");
            while (reply.status() == 200 && System.nanoTime() < deadline) {
                pause(Duration.ofMillis(50));
                reply = api.ask("/health");
            }
            assertThat(reply.status()).isEqualTo(503);
            return reply.json().get("reasons").toString();
        } catch (IOException e) {
            throw new AssertionError("health is not answered", e);
        }
    }

    private static void pause(Duration time) {
        LockSupport.parkNanos(time.toNanos());
    }
}
