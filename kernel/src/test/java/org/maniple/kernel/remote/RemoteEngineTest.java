package org.maniple.kernel.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.maniple.api.engine.Generation;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.GenerationEvent.Failed;
import org.maniple.api.engine.GenerationEvent.FinishReason;
import org.maniple.api.engine.GenerationEvent.Finished;
import org.maniple.api.engine.GenerationEvent.Prompt;
import org.maniple.api.engine.GenerationEvent.Tokens;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.RefusedException;
import org.maniple.api.engine.RefusedException.Reason;
import org.maniple.api.engine.Sampling;
import org.maniple.api.engine.TokenLogprob;
import org.maniple.kernel.remote.ScriptedEngine.Taken;

/** Rank 3, which belongs to group 1, uses the engine of rank 0. */
@Timeout(60)
class RemoteEngineTest {

    private static final Finished END = new Finished(FinishReason.LENGTH, Optional.empty(), "", 3, 2);

    private final ScriptedEngine engine = new ScriptedEngine();
    private final ExecutorService toRankZero = Executors.newSingleThreadExecutor();
    private final ExecutorService toRankThree = Executors.newSingleThreadExecutor();
    private final RemoteEngineServer server = new RemoteEngineServer(engine, Map.of(3, 1), this::toRankThree);
    private volatile boolean silent;
    private final RemoteEngine remote = remote(Duration.ofSeconds(20), 2000);

    private RemoteEngine remote(Duration limit, int largestFrame) {
        return new RemoteEngine(ScriptedEngine.MODEL, Optional.empty(), Map.of("port", "8001"), 1, "0.1.0",
                new RemoteEngine.Line(frame -> toRankZero.execute(() -> server.arrived(3, frame)), largestFrame, limit));
    }

    private void toRankThree(int rank, byte[] frame) {
        assertThat(rank).isEqualTo(3);
        if (!silent) {
            toRankThree.execute(() -> remote.arrived(frame));
        }
    }

    @AfterEach
    void close() {
        server.close();
        toRankZero.shutdownNow();
        toRankThree.shutdownNow();
    }

    private static GenerationRequest request(Sampling sampling) {
        return new GenerationRequest("cmpl-1", new int[] {1, 2, 3}, sampling);
    }

    private static GenerationEvent next(BlockingQueue<GenerationEvent> events) throws InterruptedException {
        GenerationEvent event = events.poll(20, TimeUnit.SECONDS);
        assertThat(event).isNotNull();
        return event;
    }

    @Test
    void aRequestGoesToItsGroupAndItsEventsComeBackInOrder() throws Exception {
        var events = new LinkedBlockingQueue<GenerationEvent>();
        Generation generation = remote.submit(request(FrameCodecTest.SAMPLING), events::add);
        Taken taken = engine.next();
        assertThat(taken.request().home()).hasValue(1);
        assertThat(taken.request().prompt()).containsExactly(1, 2, 3);
        assertThat(taken.request().sampling()).isEqualTo(FrameCodecTest.SAMPLING);
        assertThat(taken.request().id()).isEqualTo("cmpl-1@3-1");
        assertThat(generation.id()).isEqualTo("cmpl-1");
        var first = new Tokens(List.of(5), "a", List.of());
        taken.listener().accept(first);
        taken.listener().accept(END);
        assertThat(next(events)).isEqualTo(first);
        assertThat(next(events)).isEqualTo(END);
        assertThat(remote.running()).isZero();
        assertThat(server.running()).isZero();
    }

    @Test
    void manyRequestsDoNotMixTheirEvents() throws Exception {
        List<CompletableFuture<List<GenerationEvent>>> answers = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            var events = Collections.synchronizedList(new ArrayList<GenerationEvent>());
            var done = new CompletableFuture<List<GenerationEvent>>();
            answers.add(done);
            remote.submit(request(Sampling.greedy(i + 1)), event -> {
                events.add(event);
                if (event instanceof Finished) {
                    done.complete(List.copyOf(events));
                }
            });
        }
        for (int i = 0; i < 20; i++) {
            Taken taken = engine.next();
            int tokens = taken.request().sampling().maxTokens().orElseThrow();
            for (int token = 0; token < tokens; token++) {
                taken.listener().accept(new Tokens(List.of(tokens), "", List.of()));
            }
            taken.listener().accept(END);
        }
        for (int i = 0; i < 20; i++) {
            List<GenerationEvent> events = answers.get(i).get(20, TimeUnit.SECONDS);
            assertThat(events).hasSize(i + 2).startsWith(new Tokens(List.of(i + 1), "", List.of()));
        }
    }

    @Test
    void theLogprobsOfALongPromptComeInOnePieceThoughTheyTravelInSeveral() throws Exception {
        var entries = IntStream.range(0, 10_000).mapToObj(i -> new TokenLogprob(i, -i, 1, List.of())).toList();
        var events = new LinkedBlockingQueue<GenerationEvent>();
        remote.submit(request(Sampling.greedy(1)), events::add);
        engine.next().listener().accept(new Prompt(entries));
        assertThat(next(events)).isEqualTo(new Prompt(entries));
        remote.submit(request(Sampling.greedy(1)), events::add);
        engine.next().listener().accept(new Prompt(List.of()));
        assertThat(next(events)).isEqualTo(new Prompt(List.of()));
    }

    @Test
    void whatTheSchedulerNeedsTravelsToo() throws Exception {
        remote.submit(new GenerationRequest("x", new int[] {1}, Sampling.greedy(1), OptionalInt.empty(), 4, Optional.of("salt")),
                event -> {});
        GenerationRequest request = engine.next().request();
        assertThat(request.priority()).isEqualTo(4);
        assertThat(request.cacheSalt()).hasValue("salt");
        assertThat(request.home()).hasValue(1);
    }

    @Test
    void thePrefixCacheIsRankZeros() throws Exception {
        remote.resetPrefixCache();
        assertThat(engine.forgotten.await(20, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void whatRankZeroRefusesIsRefusedWithItsReason() {
        engine.refusal = Optional.of(new RefusedException(Reason.OVERLOADED, "Too many requests wait"));
        assertThatThrownBy(() -> remote.submit(request(Sampling.greedy(1)), event -> {}))
                .isInstanceOfSatisfying(RefusedException.class, e -> assertThat(e.reason()).isEqualTo(Reason.OVERLOADED))
                .hasMessage("Too many requests wait");
        assertThat(remote.running()).isZero();
        assertThat(server.running()).isZero();
    }

    @Test
    void aRequestForAnotherGroupIsRefusedHere() {
        var other = new GenerationRequest("x", new int[] {1}, Sampling.greedy(1), OptionalInt.of(0));
        assertThatThrownBy(() -> remote.submit(other, event -> {})).isInstanceOf(RefusedException.class)
                .hasMessageContaining("data_parallel_rank 0 is not served here", "this is group 1");
        assertThatThrownBy(() -> new PinnedEngine(engine, 1).submit(other, event -> {})).isInstanceOf(RefusedException.class);
        assertThat(engine.taken).isEmpty();
    }

    @Test
    void aRequestTooLargeForItsWayIsRefused() {
        var large = new GenerationRequest("x", new int[1000], Sampling.greedy(1));
        assertThatThrownBy(() -> remote.submit(large, event -> {}))
                .isInstanceOfSatisfying(RefusedException.class, e -> assertThat(e.reason()).isEqualTo(Reason.INVALID))
                .hasMessageContaining("at most 2000 are possible");
    }

    @Test
    void aCancellationReachesTheEngine() throws Exception {
        var events = new LinkedBlockingQueue<GenerationEvent>();
        Generation generation = remote.submit(request(Sampling.greedy(100)), events::add);
        Taken taken = engine.next();
        generation.cancel();
        assertThat(taken.isCancelled()).isTrue();
        var aborted = new Finished(FinishReason.ABORT, Optional.empty(), "", 3, 0);
        taken.listener().accept(aborted);
        assertThat(next(events)).isEqualTo(aborted);
        generation.cancel();
    }

    @Test
    void aFailureOfTheUnitEndsRunningRequestsAndRefusesLaterOnes() throws Exception {
        var events = new LinkedBlockingQueue<GenerationEvent>();
        remote.submit(request(Sampling.greedy(100)), events::add);
        remote.fail("rank 2 on node-b is gone");
        remote.fail("another reason");
        assertThat(next(events)).isEqualTo(new Failed("rank 2 on node-b is gone"));
        engine.next().listener().accept(END);
        assertThatThrownBy(() -> remote.submit(request(Sampling.greedy(1)), events::add))
                .isInstanceOfSatisfying(RefusedException.class, e -> assertThat(e.reason()).isEqualTo(Reason.UNAVAILABLE))
                .hasMessage("rank 2 on node-b is gone");
        assertThat(remote.status().ready()).isFalse();
        assertThat(remote.status().reasons()).contains("rank 2 on node-b is gone");
        assertThat(events).isEmpty();
    }

    @Test
    void aFailureRefusesARequestThatStillWaitsForItsAnswer() throws Exception {
        silent = true;
        var refused = CompletableFuture.supplyAsync(() -> {
            try {
                remote.submit(request(Sampling.greedy(1)), event -> {});
                return "taken";
            } catch (RefusedException e) {
                return String.valueOf(e.getMessage());
            }
        });
        engine.next();
        remote.fail("the unit has failed");
        assertThat(refused.get(20, TimeUnit.SECONDS)).isEqualTo("the unit has failed");
    }

    @Test
    void aRequestThatRankZeroDoesNotAnswerIsGivenUpAndCancelled() throws Exception {
        silent = true;
        RemoteEngine impatient = remote(Duration.ofMillis(50), 2000);
        assertThatThrownBy(() -> impatient.submit(request(Sampling.greedy(1)), event -> {}))
                .isInstanceOf(RefusedException.class).hasMessage("Rank 0 has not answered within 0 s");
        assertThat(engine.next().isCancelled()).isTrue();
        assertThat(impatient.running()).isZero();
    }

    @Test
    void aListenerThatThrowsLosesItsOwnRequestOnly() throws Exception {
        var events = new LinkedBlockingQueue<GenerationEvent>();
        remote.submit(request(Sampling.greedy(1)), event -> {
            throw new IllegalStateException("a defect of a frontend (expected in this test)");
        });
        remote.submit(request(Sampling.greedy(2)), events::add);
        Taken bad = engine.next();
        Taken good = engine.next();
        bad.listener().accept(new Tokens(List.of(1), "", List.of()));
        good.listener().accept(END);
        assertThat(next(events)).isEqualTo(END);
        assertThat(bad.isCancelled()).isTrue();
    }

    @Test
    void saysThatItIsReadyWhenRankZeroDoes() throws Exception {
        engine.ready = false;
        assertThat(remote.status().ready()).isFalse();
        assertThat(remote.status().reasons()).containsExactly("rank 0 has not said yet how the unit is");
        server.start();
        assertThat(remote.awaitReady(Duration.ofMillis(300))).isFalse();
        assertThat(remote.status().reasons()).containsExactly("it starts");
        engine.ready = true;
        assertThat(remote.awaitReady(Duration.ofSeconds(20))).isTrue();
        assertThat(remote.status()).usingRecursiveComparison().ignoringFields("configuration", "links")
                .isEqualTo(engine.status());
        assertThat(remote.status().configuration()).isEqualTo(Map.of("port", "8001"));
    }

    @Test
    void framesThatHaveNoPlaceAreRefused() {
        assertThatThrownBy(() -> server.arrived(2, FrameCodec.encode(new RemoteFrame.Cancel(1))))
                .isInstanceOf(MalformedFrameException.class).hasMessageContaining("rank 2");
        assertThatThrownBy(() -> server.arrived(3, FrameCodec.encode(new RemoteFrame.Accepted(1))))
                .isInstanceOf(MalformedFrameException.class);
        assertThatThrownBy(() -> remote.arrived(FrameCodec.encode(new RemoteFrame.Cancel(1))))
                .isInstanceOf(MalformedFrameException.class);
        assertThatThrownBy(() -> remote.arrived(new byte[] {77})).hasMessage("unknown type 77");
    }
}
