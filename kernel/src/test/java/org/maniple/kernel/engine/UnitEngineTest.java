package org.maniple.kernel.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.maniple.kernel.engine.EngineFixture.prompt;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.engine.Generation;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.GenerationEvent.FinishReason;
import org.maniple.api.engine.GenerationEvent.Stop;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.RefusedException;
import org.maniple.api.engine.RefusedException.Reason;
import org.maniple.api.engine.TokenLogprob;
import org.maniple.kernel.engine.EngineFixture.Setup;

class UnitEngineTest {

    private static List<Integer> greedyReference(int[] prompt, int count) {
        int[] tokens = Arrays.copyOf(prompt, prompt.length + count);
        for (int length = prompt.length; length < tokens.length; length++) {
            float[] logits = HashModel.logits(tokens, length);
            tokens[length] = IntStream.range(0, logits.length).reduce(0, (a, b) -> logits[b] > logits[a] ? b : a);
        }
        return IntStream.range(prompt.length, tokens.length).mapToObj(i -> tokens[i]).toList();
    }

    /** Eight requests that take every way through the sampler. */
    private static List<Samplings> mixed() {
        var list = new ArrayList<Samplings>();
        for (int i = 0; i < 8; i++) {
            int index = i;
            list.add(Samplings.seeded(10 + 3 * i, 100 + i).with(s -> {
                s.ignoreEos = true;
                switch (index) {
                    case 0, 1 -> s.temperature = 0;
                    case 2 -> s.topK = 5;
                    case 3 -> s.topP = 0.9;
                    case 4 -> s.repetition = 1.3;
                    case 5 -> s.logprobs = OptionalInt.of(3);
                    case 6 -> s.promptLogprobs = OptionalInt.of(2);
                    default -> s.minP = 0.1;
                }
            }));
        }
        return list;
    }

    private static List<List<Integer>> alone() throws InterruptedException {
        var tokens = new ArrayList<List<Integer>>();
        List<Samplings> samplings = mixed();
        for (int i = 0; i < samplings.size(); i++) {
            try (EngineFixture fixture = Setup.standard().start()) {
                tokens.add(fixture.submit(prompt(5 + 9 * i, i), samplings.get(i)).tokens());
            }
        }
        return tokens;
    }

    @Test
    void greedyTokensAreTheModelsMostLikelyOnes() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().start()) {
            Recorder recorder = fixture.submit(prompt(20, 1), Samplings.greedy(30).with(s -> s.ignoreEos = true));
            assertEquals(greedyReference(prompt(20, 1), 30), recorder.tokens());
            assertEquals(new GenerationEvent.Finished(FinishReason.LENGTH, Optional.empty(), "", 20, 30), recorder.finished());
            assertEquals(0, fixture.pipeline.fullRowSteps);
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 64, 0, 16, 200", "1, 64, 5, 16, 200", "1, 9, 0, 3, 200", "2, 64, 0, 16, 200", "3, 16, 7, 16, 200",
        "4, 64, 1, 2, 20"})
    void tokensAreTheSameAloneAndInABatchHoweverItIsCut(int depth, int budget, int chunk, int rows, int tableEntries)
            throws InterruptedException {
        List<List<Integer>> expected = alone();
        Setup setup = Setup.standard().depth(depth).budget(budget).chunk(chunk).step(rows, tableEntries);
        try (EngineFixture fixture = setup.build()) {
            Semaphore gate = fixture.pipeline.gated();
            fixture.engine.start();
            var recorders = new ArrayList<Recorder>();
            List<Samplings> samplings = mixed();
            for (int i = 0; i < samplings.size(); i++) {
                recorders.add(fixture.submit(prompt(5 + 9 * i, i), samplings.get(i)));
            }
            gate.release(100_000);
            assertEquals(expected, recorders.stream().map(Recorder::tokens).toList());
            assertEquals(depth, fixture.pipeline.mostInFlight);
            assertTrue(fixture.pipeline.mostSpans > 1);
        }
    }

    @Test
    void aSeedGivesTheSameTokensAndAnotherSeedOthers() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().start()) {
            List<Integer> first = fixture.submit(prompt(9, 3), Samplings.seeded(20, 1)).tokens();
            assertEquals(first, fixture.submit(prompt(9, 3), Samplings.seeded(20, 1)).tokens());
            assertNotEquals(first, fixture.submit(prompt(9, 3), Samplings.seeded(20, 2)).tokens());
            Samplings unseeded = Samplings.seeded(20, 0).with(s -> s.seed = OptionalLong.empty());
            assertNotEquals(fixture.submit(prompt(9, 3), unseeded).tokens(), fixture.submit(prompt(9, 3), unseeded).tokens());
        }
    }

    @Test
    void requestsWaitForBlocksAndAllAreServed() throws InterruptedException {
        // Each needs 6 of 7 blocks to begin: one at a time.
        try (EngineFixture fixture = Setup.standard().blocks(7).start()) {
            List<Recorder> recorders = IntStream.range(0, 6)
                    .mapToObj(i -> fixture.submit(prompt(90, i), Samplings.greedy(20).with(s -> s.ignoreEos = true))).toList();
            for (int i = 0; i < 6; i++) {
                assertEquals(greedyReference(prompt(90, i), 20), recorders.get(i).tokens());
            }
            assertEquals(1, fixture.pipeline.mostSpans);
            assertEquals(0, fixture.engine.statistics().preemptions());
            assertIdle(fixture);
        }
    }

    /** After the last event the loop gives the blocks back in its next round. */
    private static void assertIdle(EngineFixture fixture) throws InterruptedException {
        assertTrue(fixture.pipeline.idled.await(20, TimeUnit.SECONDS));
        assertEquals(fixture.pipeline.blocks(), fixture.engine.status().freeKvBlocks());
        assertEquals(0, fixture.engine.status().runningRequests() + fixture.engine.status().waitingRequests());
    }

    @Test
    void aRequestThatCanNeverFitIsRefused() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().blocks(4).start()) {
            var refused = assertThrows(RefusedException.class, () -> fixture.submit(prompt(40, 1), Samplings.greedy(25)));
            assertEquals(Reason.INVALID, refused.reason());
            assertEquals(
                    "The request needs room for 65 tokens, which is larger than the maximum number of tokens that can be stored in KV "
                            + "cache (64). Reduce max_tokens or the prompt, or start the unit with a larger kv-cache-memory-bytes or "
                            + "num-gpu-blocks-override.",
                    refused.getMessage());
        }
    }

    @Test
    void withoutALimitAnOutputEndsWhereTheContextOrTheCacheEnds() throws InterruptedException {
        Samplings open = Samplings.greedy(1).with(s -> {
            s.maxTokens = OptionalInt.empty();
            s.ignoreEos = true;
        });
        try (EngineFixture fixture = Setup.standard().start()) {
            assertEquals(EngineFixture.MAX_LENGTH - 40, fixture.submit(prompt(40, 1), open).finished().outputTokens());
        }
        try (EngineFixture fixture = Setup.standard().blocks(4).start()) {
            assertEquals(64 - 40, fixture.submit(prompt(40, 1), open).finished().outputTokens());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void aCancelledRequestEndsAndGivesItsBlocksBack(int depth) throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().depth(depth).build()) {
            Semaphore gate = fixture.pipeline.gated();
            fixture.engine.start();
            var recorder = new Recorder();
            Generation generation = fixture.engine.submit(
                    new GenerationRequest("a", prompt(5, 1), Samplings.greedy(100).with(s -> s.ignoreEos = true).build()),
                    recorder);
            Recorder other = fixture.submit(prompt(5, 2), Samplings.greedy(20).with(s -> s.ignoreEos = true));
            gate.release(6);
            assertTrue(recorder.firstToken.await(20, TimeUnit.SECONDS));
            generation.cancel();
            gate.release(10_000);
            assertEquals(FinishReason.ABORT, recorder.finished().reason());
            assertEquals(recorder.tokens().size(), recorder.finished().outputTokens());
            assertTrue(recorder.finished().outputTokens() < 100);
            assertEquals(greedyReference(prompt(5, 2), 20), other.tokens());
            generation.cancel();
            assertIdle(fixture);
        }
    }

    @Test
    void aWaitingRequestCanBeCancelled() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().queue(1, 5).build()) {
            Semaphore gate = fixture.pipeline.gated();
            fixture.engine.start();
            Recorder first = fixture.submit(prompt(5, 1), Samplings.greedy(10).with(s -> s.ignoreEos = true));
            assertTrue(fixture.pipeline.entered.await(20, TimeUnit.SECONDS));
            var second = new Recorder();
            fixture.engine.submit(new GenerationRequest("b", prompt(5, 2), Samplings.greedy(10).build()), second).cancel();
            gate.release(1);
            assertEquals(new GenerationEvent.Finished(FinishReason.ABORT, Optional.empty(), "", 5, 0), second.last());
            gate.release(10_000);
            assertEquals(10, first.finished().outputTokens());
        }
    }

    @Test
    void tooManyWaitingRequestsAreRefusedAsOverload() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().queue(1, 2).build()) {
            Semaphore gate = fixture.pipeline.gated();
            fixture.engine.start();
            fixture.submit(prompt(5, 1), Samplings.greedy(10));
            assertTrue(fixture.pipeline.entered.await(20, TimeUnit.SECONDS));
            fixture.submit(prompt(5, 2), Samplings.greedy(10));
            fixture.submit(prompt(5, 3), Samplings.greedy(10));
            var refused = assertThrows(RefusedException.class, () -> fixture.submit(prompt(5, 4), Samplings.greedy(10)));
            assertEquals(Reason.OVERLOADED, refused.reason());
            assertEquals("Too many requests wait [2]; at most 2 may (max-num-queued-reqs). Try again later.",
                    refused.getMessage());
            gate.release(10_000);
        }
    }

    @Test
    void idsOfRunningRequestsDiffer() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().build()) {
            Semaphore gate = fixture.pipeline.gated();
            fixture.engine.start();
            var request = new GenerationRequest("same", prompt(5, 1), Samplings.greedy(2).build());
            var first = new Recorder();
            fixture.engine.submit(request, first);
            assertEquals(Reason.INVALID,
                    assertThrows(RefusedException.class, () -> fixture.engine.submit(request, event -> {})).reason());
            gate.release(10_000);
            first.finished();
        }
    }

    @Test
    void aBrokenPipelineFailsEveryRequestAndRefusesLaterOnes() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().queue(2, 5).build()) {
            fixture.pipeline.failAtStep(3);
            Semaphore gate = fixture.pipeline.gated();
            fixture.engine.start();
            List<Recorder> recorders = IntStream.range(0, 4)
                    .mapToObj(i -> fixture.submit(prompt(5, i), Samplings.greedy(50).with(s -> s.ignoreEos = true))).toList();
            gate.release(10_000);
            var failed = new GenerationEvent.Failed("The unit cannot go on: rank 2 is gone: connection closed");
            recorders.forEach(recorder -> assertEquals(failed, recorder.last()));
            var refused = assertThrows(RefusedException.class, () -> fixture.submit(prompt(5, 9), Samplings.greedy(1)));
            assertEquals(Reason.UNAVAILABLE, refused.reason());
            assertFalse(fixture.engine.status().ready());
            assertEquals(List.of(failed.message()), fixture.engine.status().reasons());
        }
    }

    @Test
    void theLifeCycleFailsRequestsEvenWhileAStepHangs() throws InterruptedException {
        EngineFixture fixture = Setup.standard().build();
        Semaphore gate = fixture.pipeline.gated();
        fixture.engine.start();
        Recorder recorder = fixture.submit(prompt(5, 1), Samplings.greedy(50));
        assertTrue(fixture.pipeline.entered.await(20, TimeUnit.SECONDS));
        fixture.engine.fail("rank 1 on node-b is gone: no heartbeat");
        fixture.engine.fail("a later reason");
        assertEquals(new GenerationEvent.Failed("rank 1 on node-b is gone: no heartbeat"), recorder.last());
        assertThrows(RefusedException.class, () -> fixture.submit(prompt(5, 9), Samplings.greedy(1)));
        gate.release(10);
        fixture.close();
        assertEquals(1, fixture.pipeline.ended.getCount(), "a failed pipeline is not used again");
    }

    @Test
    void drainingLetsRunningRequestsEndAndRefusesNewOnes() throws InterruptedException {
        EngineFixture fixture = Setup.standard().build();
        Semaphore gate = fixture.pipeline.gated();
        fixture.engine.start();
        Recorder recorder = fixture.submit(prompt(5, 1), Samplings.greedy(10).with(s -> s.ignoreEos = true));
        assertFalse(fixture.engine.drain(Duration.ofMillis(1)));
        assertEquals(Reason.UNAVAILABLE,
                assertThrows(RefusedException.class, () -> fixture.submit(prompt(5, 2), Samplings.greedy(1))).reason());
        gate.release(10_000);
        assertTrue(fixture.engine.drain(Duration.ofSeconds(20)));
        assertEquals(10, recorder.finished().outputTokens());
        fixture.close();
        assertEquals(0, fixture.pipeline.ended.getCount());
    }

    @Test
    void closingFailsWhatStillRunsAndEndsTheRanks() throws InterruptedException {
        EngineFixture fixture = Setup.standard().start();
        Recorder recorder = fixture.submit(prompt(5, 1), Samplings.greedy(100).with(s -> s.ignoreEos = true));
        fixture.close();
        assertEquals(0, fixture.pipeline.ended.getCount());
        assertTrue(recorder.last() instanceof GenerationEvent.Failed || recorder.finished().outputTokens() == 100);
    }

    @Test
    void aListenerThatThrowsLosesItsOwnRequestOnly() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().start()) {
            var called = new CountDownLatch(1);
            fixture.engine.submit(new GenerationRequest("bad", prompt(5, 1), Samplings.greedy(50).build()), event -> {
                called.countDown();
                throw new IllegalStateException("a defect of a frontend (expected in this test)");
            });
            assertTrue(called.await(20, TimeUnit.SECONDS));
            Recorder recorder = fixture.submit(prompt(5, 2), Samplings.greedy(20).with(s -> s.ignoreEos = true));
            assertEquals(greedyReference(prompt(5, 2), 20), recorder.tokens());
            assertIdle(fixture);
        }
    }

    @Test
    void aListenerThatFailsOnceIsToldThatItsRequestIsOver() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().start()) {
            var recorder = new Recorder();
            var first = new AtomicBoolean(true);
            fixture.engine.submit(new GenerationRequest("bad", prompt(5, 1), Samplings.greedy(50).build()), event -> {
                if (first.getAndSet(false)) {
                    throw new IllegalStateException("a defect of a frontend (expected in this test)");
                }
                recorder.accept(event);
            });
            assertInstanceOf(GenerationEvent.Failed.class, recorder.last());
        }
    }

    @Test
    void nothingToChooseFailsTheRequestAlone() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().start()) {
            Recorder recorder = fixture.submit(prompt(5, 1), Samplings.greedy(5).with(s -> {
                s.allowed = List.of(7);
                s.badWords = List.of(List.of(7));
            }));
            assertInstanceOf(GenerationEvent.Failed.class, recorder.last());
            assertEquals(3, fixture.submit(prompt(5, 1), Samplings.greedy(3).with(s -> s.ignoreEos = true)).tokens().size());
        }
    }

    @Test
    void anEndOfSequenceTokenEndsTheOutputWithoutItsText() throws InterruptedException {
        Samplings samplings = Samplings.greedy(5).with(s -> s.bias.put(EngineFixture.EOS, 100.0));
        try (EngineFixture fixture = Setup.standard().start()) {
            Recorder recorder = fixture.submit(prompt(5, 1), samplings);
            assertEquals(List.of(EngineFixture.EOS), recorder.tokens());
            assertEquals(new GenerationEvent.Finished(FinishReason.STOP, Optional.empty(), "", 5, 1), recorder.finished());
            assertEquals("", recorder.text());
            Recorder ignoring = fixture.submit(prompt(5, 1), samplings.with(s -> s.ignoreEos = true));
            assertEquals(FinishReason.LENGTH, ignoring.finished().reason());
            assertEquals(5, ignoring.finished().outputTokens());
        }
    }

    @Test
    void aStopTokenEndsTheOutputAndIsNamed() throws InterruptedException {
        List<Integer> free = greedyReference(prompt(5, 1), 10);
        try (EngineFixture fixture = Setup.standard().start()) {
            Recorder recorder = fixture.submit(prompt(5, 1), Samplings.greedy(10).with(s -> s.stopTokens = List.of(free.get(4))));
            int expected = free.indexOf(free.get(4)) + 1;
            assertEquals(free.subList(0, expected), recorder.tokens());
            assertEquals(Optional.of(new Stop.Token(free.get(4))), recorder.finished().stop());
            assertEquals(LetterCodec.text(free.subList(0, expected - 1)), recorder.text());
        }
    }

    @Test
    void endingTokensAreNotChosenBeforeTheMinimum() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().start()) {
            Recorder recorder = fixture.submit(prompt(5, 1), Samplings.greedy(20).with(s -> {
                s.minTokens = 7;
                s.bias.put(EngineFixture.EOS, 100.0);
            }));
            assertEquals(8, recorder.tokens().size());
            assertEquals(7, recorder.tokens().indexOf(EngineFixture.EOS));
        }
    }

    @Test
    void aStopTextEndsTheOutputAndNeverAppears() throws InterruptedException {
        List<Integer> free = greedyReference(prompt(5, 1), 40);
        String text = LetterCodec.text(free);
        try (EngineFixture fixture = Setup.standard().start()) {
            for (int from = 3; from < 30; from++) {
                String stop = text.substring(from, from + 4);
                Recorder recorder = fixture.submit(prompt(5, 1), Samplings.greedy(40).with(s -> {
                    s.ignoreEos = true;
                    s.stop = List.of("never-there", stop);
                }));
                assertEquals(text.substring(0, text.indexOf(stop)), recorder.text());
                assertEquals(FinishReason.STOP, recorder.finished().reason());
                assertEquals(Optional.of(new Stop.Text(stop)), recorder.finished().stop());
                assertEquals(free.subList(0, recorder.finished().outputTokens()), recorder.tokens());
                assertTrue(LetterCodec.text(recorder.tokens()).contains(stop));
                assertFalse(LetterCodec.text(recorder.tokens().subList(0, recorder.tokens().size() - 1)).contains(stop));
            }
        }
    }

    @Test
    void textsOfEventsAddUpToTheTokensText() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().start()) {
            Recorder recorder = fixture.submit(prompt(5, 1), Samplings.greedy(40).with(s -> {
                s.ignoreEos = true;
                s.stop = List.of("zzzzzzzz", LetterCodec.text(greedyReference(prompt(5, 1), 40)) + "x");
            }));
            assertEquals(LetterCodec.text(recorder.tokens()), recorder.text());
            assertEquals(FinishReason.LENGTH, recorder.finished().reason());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void logprobsAreThoseOfTheRawLogits(boolean wholeRows) throws InterruptedException {
        int[] prompt = prompt(6, 4);
        try (EngineFixture fixture = Setup.standard().start()) {
            Recorder recorder = fixture.submit(prompt, Samplings.seeded(12, 5).with(s -> {
                s.logprobs = OptionalInt.of(4);
                s.ignoreEos = true;
                s.topK = wholeRows ? 0 : 6;
                s.temperature = 2;
            }));
            int[] tokens = IntStream.concat(IntStream.of(prompt), recorder.tokens().stream().mapToInt(i -> i)).toArray();
            assertEquals(wholeRows, fixture.pipeline.fullRowSteps > 0);
            assertEquals(12, recorder.logprobs().size());
            for (int i = 0; i < 12; i++) {
                assertLogprob(HashModel.logits(tokens, prompt.length + i), tokens[prompt.length + i], 4,
                        recorder.logprobs().get(i));
            }
        }
    }

    private static void assertLogprob(float[] logits, int token, int top, TokenLogprob actual) {
        double sum = IntStream.range(0, logits.length).mapToDouble(i -> Math.exp(logits[i])).sum();
        assertEquals(token, actual.token());
        assertEquals(logits[token] - Math.log(sum), actual.logprob(), 1e-5);
        assertEquals(IntStream.range(0, logits.length).filter(i -> logits[i] >= logits[token]).count(), actual.rank());
        List<Integer> best = IntStream.range(0, logits.length).boxed().sorted((a, b) -> Float.compare(logits[b], logits[a]))
                .limit(top).toList();
        assertEquals(best, actual.top().stream().map(TokenLogprob.Candidate::token).toList());
        actual.top().forEach(each -> assertEquals(logits[each.token()] - Math.log(sum), each.logprob(), 1e-5));
    }

    @ParameterizedTest
    @CsvSource({"0, 16", "5, 16", "0, 4"})
    void promptLogprobsComeOnceBeforeTheFirstToken(int chunk, int rows) throws InterruptedException {
        int[] prompt = prompt(21, 4);
        try (EngineFixture fixture = Setup.standard().chunk(chunk).step(rows, 200).start()) {
            Recorder recorder = fixture.submit(prompt, Samplings.greedy(3).with(s -> s.promptLogprobs = OptionalInt.of(2)));
            var first = assertInstanceOf(GenerationEvent.Prompt.class, recorder.events().getFirst());
            assertEquals(20, first.prompt().size());
            for (int i = 1; i < prompt.length; i++) {
                assertLogprob(HashModel.logits(prompt, i), prompt[i], 2, first.prompt().get(i - 1));
            }
            assertEquals(1, recorder.events().stream().filter(GenerationEvent.Prompt.class::isInstance).count());
        }
    }

    @Test
    void oneRequestDoesNotSendOthersToWholeRows() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().start()) {
            fixture.submit(prompt(5, 1), Samplings.seeded(10, 1).with(s -> s.topK = FakePipeline.CANDIDATES - 1)).finished();
            assertEquals(0, fixture.pipeline.fullRowSteps);
            fixture.submit(prompt(5, 1), Samplings.seeded(10, 1).with(s -> s.topK = FakePipeline.CANDIDATES)).finished();
            assertTrue(fixture.pipeline.fullRowSteps > 0);
        }
    }

    @Test
    void aUnitThatIsNotStartedRefuses() throws InterruptedException {
        EngineFixture fixture = Setup.standard().build();
        assertEquals(Reason.UNAVAILABLE,
                assertThrows(RefusedException.class, () -> fixture.submit(prompt(5, 1), Samplings.greedy(1))).reason());
    }
}
