package org.maniple.kernel.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TextStreamTest {

    private static TextStream stream(Samplings samplings) {
        return new TextStream(Optional.of(new LetterCodec()), new int[] {1}, samplings.build());
    }

    @Test
    void anEndingTokenIsShownOnlyWhereStopTextsAre() {
        assertEquals("", stream(Samplings.greedy(5)).push(3, true));
        assertEquals("d", stream(Samplings.greedy(5).with(s -> s.includeStop = true)).push(3, true));
    }

    @Test
    void whatIsHeldBackComesAtTheEnd() {
        TextStream stream = stream(Samplings.greedy(5).with(s -> s.stop = List.of("abc")));
        assertEquals("", stream.push(0, false));
        assertEquals("", stream.push(1, false));
        assertEquals("ab", stream.finish());
        assertEquals(Optional.empty(), stream.stopped());
    }

    @Test
    void aStopTextMayBePartOfTheOutput() {
        TextStream stream = stream(Samplings.greedy(5).with(s -> {
            s.stop = List.of("abc");
            s.includeStop = true;
        }));
        assertEquals("", stream.push(0, false) + stream.push(1, false));
        assertEquals("abc", stream.push(2, false));
        assertEquals(Optional.of("abc"), stream.stopped());
        assertEquals("", stream.finish());
    }

    @Test
    void stopTextsCountOnlyAfterTheMinimumOfTokens() {
        TextStream stream = stream(Samplings.greedy(9).with(s -> {
            s.stop = List.of("a");
            s.minTokens = 2;
        }));
        assertEquals("aa", stream.push(0, false) + stream.push(0, false));
        assertEquals("", stream.push(0, false));
        assertEquals(Optional.of("a"), stream.stopped());
    }

    @Test
    void withoutATokenizerThereIsNoText() {
        var stream = new TextStream(Optional.empty(), new int[] {1}, Samplings.greedy(5).build());
        assertEquals("", stream.push(0, false) + stream.finish());
    }
}
