package org.maniple.kernel.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.api.engine.GenerationEvent.Embedding;
import org.maniple.api.engine.GenerationEvent.Failed;
import org.maniple.api.engine.GenerationEvent.FinishReason;
import org.maniple.api.engine.GenerationEvent.Finished;
import org.maniple.api.engine.GenerationEvent.Stop;
import org.maniple.api.engine.GenerationEvent.Tokens;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.OutputConstraint;
import org.maniple.api.engine.Pooling;
import org.maniple.api.engine.RefusedException.Reason;
import org.maniple.api.engine.Sampling;
import org.maniple.api.engine.TokenLogprob;
import org.maniple.api.engine.TokenLogprob.Candidate;
import org.maniple.kernel.remote.RemoteFrame.Accepted;
import org.maniple.kernel.remote.RemoteFrame.Cancel;
import org.maniple.kernel.remote.RemoteFrame.Event;
import org.maniple.kernel.remote.RemoteFrame.PromptPart;
import org.maniple.kernel.remote.RemoteFrame.Refused;
import org.maniple.kernel.remote.RemoteFrame.ResetPrefixCache;
import org.maniple.kernel.remote.RemoteFrame.Submit;

class FrameCodecTest {

    private static final List<TokenLogprob> LOGPROBS = List.of(
            new TokenLogprob(7, -0.25, 1, List.of(new Candidate(7, -0.25), new Candidate(9, Double.NEGATIVE_INFINITY))),
            new TokenLogprob(8, -1.5, 3, List.of()));

    static final Sampling SAMPLING = new Sampling(OptionalInt.of(17), 2, 0.7, 0.9, -1, 0.05, 1.1, -0.5, 0.25,
            OptionalLong.of(Long.MIN_VALUE), Map.of(3, -100.0, 4, 0.5), List.of(1, 2), List.of(List.of(5, 6), List.of(7)),
            List.of("\n", "grüße 🌍"), true, List.of(11), true, OptionalInt.of(20), OptionalInt.empty(), false,
            Optional.of(new OutputConstraint.Schema("{}", true)));

    static Stream<RemoteFrame> frames() {
        return Stream.of(new Cancel(1L << 40), new Accepted(3), new Refused(4, Reason.OVERLOADED, "later"),
                new PromptPart(5, true, LOGPROBS), new PromptPart(5, false, List.of()),
                new Event(6, new Tokens(List.of(1, 2, 99), "ä🌍", LOGPROBS)), new Event(6, new Tokens(List.of(), "", List.of())),
                new Event(7, new Finished(FinishReason.STOP, Optional.of(new Stop.Text("\n")), "rest", 4, 5)),
                new Event(7, new Finished(FinishReason.STOP, Optional.of(new Stop.Token(12)), "", 4, 5, 3)),
                new Event(7, new Finished(FinishReason.ABORT, Optional.empty(), "", 4, 0)),
                new ResetPrefixCache(), new Event(8, new Failed("rank 2 is gone")));
    }

    private static byte[] submit() {
        return FrameCodec.encode(new Submit(9, new GenerationRequest("id", new int[] {1, 2, 3}, SAMPLING)));
    }

    @ParameterizedTest
    @MethodSource("frames")
    void aFrameComesOutAsItWentIn(RemoteFrame frame) {
        assertThat(FrameCodec.decode(FrameCodec.encode(frame))).isEqualTo(frame);
    }

    @Test
    void aRequestComesOutAsItWentInButForItsHome() {
        for (Sampling sampling : List.of(SAMPLING, Sampling.greedy(4))) {
            var request = new GenerationRequest("id", new int[] {1, 2, 3}, sampling, OptionalInt.of(2), -7,
                    Optional.of("salt"));
            assertThat(FrameCodec.decode(FrameCodec.encode(new Submit(9, request)))).isInstanceOfSatisfying(Submit.class,
                    submit -> {
                        assertThat(submit.ticket()).isEqualTo(9);
                        assertThat(submit.request().id()).isEqualTo("id");
                        assertThat(submit.request().prompt()).containsExactly(1, 2, 3);
                        assertThat(submit.request().sampling()).isEqualTo(sampling);
                        assertThat(submit.request().home()).isEmpty();
                        assertThat(submit.request().priority()).isEqualTo(-7);
                        assertThat(submit.request().cacheSalt()).hasValue("salt");
                    });
        }
    }

    @Test
    void aRequestForAVectorAndTheVectorComeOutAsTheyWentIn() {
        for (Pooling pooling : Pooling.values()) {
            var request = new GenerationRequest("id", new int[] {1}, Sampling.greedy(1)).pooled(pooling);
            assertThat(FrameCodec.decode(FrameCodec.encode(new Submit(9, request)))).isInstanceOfSatisfying(Submit.class,
                    submit -> assertThat(submit.request().pooling()).contains(pooling));
        }
        float[] values = {1.5f, -0.0f, Float.MIN_VALUE, Float.NaN};
        assertThat(FrameCodec.decode(FrameCodec.encode(new Event(9, new Embedding(values))))).isInstanceOfSatisfying(Event.class,
                event -> assertThat(((Embedding) event.event()).values()).containsExactly(values));
    }

    @ParameterizedTest
    @MethodSource("constraints")
    void aConstraintComesOutAsItWentIn(OutputConstraint constraint) {
        var request = new GenerationRequest("id", new int[] {1}, Sampling.greedy(4).withConstraint(Optional.of(constraint)));
        assertThat(FrameCodec.decode(FrameCodec.encode(new Submit(9, request)))).isInstanceOfSatisfying(Submit.class,
                submit -> assertThat(submit.request().sampling().constraint()).contains(constraint));
    }

    static Stream<OutputConstraint> constraints() {
        return Stream.of(new OutputConstraint.Schema("{}", false), new OutputConstraint.AnyObject(true),
                new OutputConstraint.Regex("ä+"), new OutputConstraint.Choice(List.of("a", "")),
                new OutputConstraint.Grammar("root ::= \"x\""),
                new OutputConstraint.AfterReasoning("<t>", "</t>", true, new OutputConstraint.AnyObject(false)));
    }

    @Test
    void aReasoningBeforeAReasoningIsRefused() {
        byte[] bytes = FrameCodec
                .encode(new Submit(9, new GenerationRequest("id", new int[] {1}, Sampling.greedy(4).withConstraint(
                        Optional.of(new OutputConstraint.AfterReasoning("b", "e", true, new OutputConstraint.Regex("x")))))));
        // The kind of the inner constraint is before its text (an int and a byte) and the kind of pooling.
        bytes[bytes.length - 7] = 6;
        assertThatThrownBy(() -> FrameCodec.decode(bytes)).isInstanceOf(MalformedFrameException.class)
                .hasMessageContaining("constraint 6");
    }

    @Test
    void everyPartOfAFrameAndEveryByteTooManyIsRefused() {
        Stream.concat(frames().map(FrameCodec::encode), Stream.of(submit())).forEach(bytes -> {
            for (int length = 0; length < bytes.length; length++) {
                byte[] part = Arrays.copyOf(bytes, length);
                assertThatThrownBy(() -> FrameCodec.decode(part)).isInstanceOf(MalformedFrameException.class);
            }
            assertThatThrownBy(() -> FrameCodec.decode(Arrays.copyOf(bytes, bytes.length + 1)))
                    .hasMessage("1 bytes too many");
        });
    }

    @Test
    void mutatedFramesAreReadOrRefusedButNothingElse() {
        var random = new Random(7);
        List<byte[]> seeds = Stream.concat(frames().map(FrameCodec::encode), Stream.of(submit())).toList();
        int refused = 0;
        for (int round = 0; round < 50_000; round++) {
            byte[] bytes = seeds.get(random.nextInt(seeds.size())).clone();
            for (int change = random.nextInt(4); change >= 0; change--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            try {
                assertThat(FrameCodec.decode(bytes)).isNotNull();
            } catch (MalformedFrameException e) {
                refused++;
            }
        }
        assertThat(refused).isBetween(1, 49_999);
    }
}
