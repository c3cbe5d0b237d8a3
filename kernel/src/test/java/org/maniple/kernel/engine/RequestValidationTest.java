package org.maniple.kernel.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.List;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.RefusedException;
import org.maniple.api.engine.RefusedException.Reason;

class RequestValidationTest {

    private final RequestValidation validation = new RequestValidation(EngineFixture.model(), 1000, true, 2, false);

    private static GenerationRequest request(int promptLength, Consumer<Samplings> change) {
        return new GenerationRequest("r", EngineFixture.prompt(promptLength, 1), new Samplings().with(change).build());
    }

    static Stream<Arguments> mistakes() {
        return Stream.of(
                mistake("max_tokens must be at least 1, got 0.", s -> s.maxTokens = OptionalInt.of(0)),
                mistake("min_tokens must be greater than or equal to 0, got -1.", s -> s.minTokens = -1),
                mistake("min_tokens must be less than or equal to max_tokens=16, got 17.", s -> s.minTokens = 17),
                mistake("temperature must be non-negative, got -0.5.", s -> s.temperature = -0.5),
                mistake("temperature must be non-negative, got NaN.", s -> s.temperature = Double.NaN),
                mistake("temperature must be non-negative, got Infinity.", s -> s.temperature = Double.POSITIVE_INFINITY),
                mistake("top_p must be in (0, 1], got 0.0.", s -> s.topP = 0),
                mistake("top_p must be in (0, 1], got 1.1.", s -> s.topP = 1.1),
                mistake("top_k must be 0 (disable), or at least 1, got -2.", s -> s.topK = -2),
                mistake("min_p must be in [0, 1], got 2.0.", s -> s.minP = 2),
                mistake("repetition_penalty must be greater than zero, got 0.0.", s -> s.repetition = 0),
                mistake("presence_penalty must be in [-2, 2], got 2.5.", s -> s.presence = 2.5),
                mistake("frequency_penalty must be in [-2, 2], got NaN.", s -> s.frequency = Double.NaN),
                mistake("Requested sample logprobs of 21, which is greater than max allowed: 20",
                        s -> s.logprobs = OptionalInt.of(21)),
                mistake("Requested prompt logprobs must be non-negative, got -1.", s -> s.promptLogprobs = OptionalInt.of(-1)),
                mistake("token_id(s) [-1, 64] in logit_bias contain out-of-vocab token ids. Vocabulary size: 64", s -> {
                    s.bias.put(64, 1.0);
                    s.bias.put(-1, 1.0);
                }),
                mistake("logit_bias must be finite, got NaN.", s -> s.bias.put(1, Double.NaN)),
                mistake("token_id(s) [99] in allowed_token_ids contain out-of-vocab token ids. Vocabulary size: 64",
                        s -> s.allowed = List.of(1, 99)),
                mistake("bad_words cannot contain an empty string.", s -> s.badWords = List.of(List.of())),
                mistake("token_id(s) [70] in bad_words contain out-of-vocab token ids. Vocabulary size: 64",
                        s -> s.badWords = List.of(List.of(1, 70))),
                mistake("stop cannot contain an empty string.", s -> s.stop = List.of("a", "")));
    }

    private static Arguments mistake(String message, Consumer<Samplings> change) {
        return arguments(message, change);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("mistakes")
    void valuesOutOfRangeAreRefusedInTheFieldsWords(String message, Consumer<Samplings> change) {
        var refused = assertThrows(RefusedException.class, () -> validation.maxLength(request(5, change)));
        assertEquals(message, refused.getMessage());
        assertEquals(Reason.INVALID, refused.reason());
    }

    @Test
    void promptAndOutputMayFillTheContext() {
        assertEquals(128, validation.maxLength(request(112, s -> {})));
        assertEquals(128, validation.maxLength(request(127, s -> s.maxTokens = OptionalInt.empty())));
        assertEquals(6, validation.maxLength(request(5, s -> s.maxTokens = OptionalInt.of(1))));
    }

    @Test
    void whatExceedsTheContextIsRefusedWithBothNumbers() {
        assertEquals(
                "This model's maximum context length is 128 tokens. However, you requested 129 tokens (113 in the prompt, 16 for the "
                        + "completion). Please reduce the length of the prompt or completion.",
                refusal(request(113, s -> {})));
        assertEquals(
                "This model's maximum context length is 128 tokens. However, you requested 128 tokens (128 in the prompt, and at least "
                        + "1 for the completion). Please reduce the length of the prompt or completion.",
                refusal(request(128, s -> s.maxTokens = OptionalInt.empty())));
    }

    @Test
    void promptsMustHoldKnownTokens() {
        assertEquals("The prompt cannot be empty", refusal(request(0, s -> {})));
        var samplings = new Samplings().build();
        assertEquals("Token id 64 is out of vocabulary: ids are from 0 to 63",
                refusal(new GenerationRequest("r", new int[] {1, 64}, samplings)));
        assertEquals("Token id -1 is out of vocabulary: ids are from 0 to 63",
                refusal(new GenerationRequest("r", new int[] {-1}, samplings)));
    }

    @Test
    void stopTextsNeedATokenizer() {
        var without = new RequestValidation(EngineFixture.model(), 1000, false, 2, false);
        assertEquals("stop strings are only supported when text is generated; this unit was started with skip-tokenizer-init",
                assertThrows(RefusedException.class, () -> without.maxLength(request(5, s -> s.stop = List.of("x"))))
                        .getMessage());
    }

    private String refusal(GenerationRequest request) {
        return assertThrows(RefusedException.class, () -> validation.maxLength(request)).getMessage();
    }
}
