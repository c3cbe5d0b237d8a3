package org.maniple.kernel.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.Sampling;

class PromptLookupTest {

    private static int[] guesses(PromptLookup lookup, int most, int... tokens) {
        Sampling sampling = Samplings.greedy(20).build();
        var request = new GenerationRequest("it", tokens, sampling, OptionalInt.empty());
        var sequence = new Sequence(0, request, new SamplingPlan(sampling, 0, EngineFixture.model(), null),
                new RequestOutput(request, event -> {}, Optional.empty()), new RequestTimes(request, 0), tokens.length + 20);
        sequence.settle(0, 8);
        int count = lookup.draft(sequence, most);
        return Arrays.copyOfRange(sequence.tokens(), tokens.length, tokens.length + count);
    }

    @Test
    void guessesWhatFollowedTheLastTokensBefore() {
        assertThat(guesses(new PromptLookup(2, 3), 2, 1, 2, 3, 4, 5, 9, 2, 3)).containsExactly(4, 5);
    }

    @Test
    void prefersThePlaceThatAgreesLongest() {
        assertThat(guesses(new PromptLookup(1, 3), 1, 7, 2, 3, 4, 9, 3, 5, 7, 2, 3)).containsExactly(4);
    }

    @Test
    void ofEqualPlacesTheLastOneCounts() {
        assertThat(guesses(new PromptLookup(1, 2), 1, 2, 3, 4, 2, 3, 5, 2, 3)).containsExactly(5);
    }

    @Test
    void aPeriodGoesOn() {
        assertThat(guesses(new PromptLookup(3, 5), 7, 1, 2, 3, 1, 2, 3)).containsExactly(1, 2, 3, 1, 2, 3, 1);
    }

    @Test
    void guessesNothingWhereTooFewTokensAgree() {
        assertThat(guesses(new PromptLookup(3, 5), 4, 1, 2, 3, 9, 8, 2, 3)).isEmpty();
        assertThat(guesses(new PromptLookup(1, 5), 4, IntStream.range(0, 40).toArray())).isEmpty();
        assertThat(guesses(new PromptLookup(1, 1), 4, 6)).isEmpty();
    }
}
