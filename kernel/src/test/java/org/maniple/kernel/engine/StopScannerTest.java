package org.maniple.kernel.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StopScannerTest {

    /** All that is let out of a text that is cut after each character whose bit is set. */
    private static String scan(String text, int cuts, List<String> stops, boolean include, Optional<String>[] found) {
        var scanner = new StopScanner(stops, include);
        var out = new StringBuilder();
        int from = 0;
        for (int i = 1; i <= text.length() && scanner.found().isEmpty(); i++) {
            if (i == text.length() || (cuts >> i - 1 & 1) == 1) {
                out.append(scanner.append(text.substring(from, i), true));
                from = i;
            }
        }
        out.append(scanner.finish());
        found[0] = scanner.found();
        return out.toString();
    }

    @ParameterizedTest
    @CsvSource({
        "abcSTOPdef, STOP, abc, STOP",
        "SSTOP, STOP, S, STOP",
        "ababac, abac, ab, abac",
        "aaaaaaab, aab, aaaaa, aab",
        "one two, three, one two,",
        "xabc, abc|b, xa, b",
        "xab, b|ab, x, ab",
        "no STO, STOP, no STO,",
        "abcabd, abd|cab, ab, cab",
    })
    void theOutputIsTheSameForEveryCut(String text, String stops, String expected, String stop) {
        List<String> list = List.of(stops.split("\\|"));
        @SuppressWarnings({"unchecked", "rawtypes"})
        Optional<String>[] found = new Optional[1];
        for (int cuts = 0; cuts < 1 << text.length() - 1; cuts++) {
            assertEquals(expected, scan(text, cuts, list, false, found));
            assertEquals(Optional.ofNullable(stop), found[0]);
            assertEquals(expected + (stop == null ? "" : stop), scan(text, cuts, list, true, found));
        }
    }

    @Test
    void randomTextsNeverLeakAndNeverHoldBackMoreThanTheyMust() {
        var random = new Random(3);
        for (int round = 0; round < 5_000; round++) {
            String text = letters(random, 1 + random.nextInt(12));
            var stops = new ArrayList<String>();
            for (int i = random.nextInt(3); i >= 0; i--) {
                stops.add(letters(random, 1 + random.nextInt(4)));
            }
            String expected = reference(text, stops);
            var scanner = new StopScanner(stops, false);
            var out = new StringBuilder();
            int at = 0;
            while (at < text.length() && scanner.found().isEmpty()) {
                int to = Math.min(text.length(), at + 1 + random.nextInt(4));
                out.append(scanner.append(text.substring(at, to), true));
                at = to;
                assertTrue(expected.startsWith(out.toString()), "leaks: " + out);
                assertTrue(scanner.found().isPresent() || at - out.length() < 4, "holds back too much");
            }
            assertEquals(expected, out + scanner.finish());
        }
    }

    private static String letters(Random random, int length) {
        return random.ints(length, 'a', 'd').collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    /** Character by character: the first end of a stop text counts, the longest one there. */
    private static String reference(String text, List<String> stops) {
        for (int end = 1; end <= text.length(); end++) {
            String sofar = text.substring(0, end);
            int longest = stops.stream().filter(sofar::endsWith).mapToInt(String::length).max().orElse(0);
            if (longest > 0) {
                return text.substring(0, end - longest);
            }
        }
        return text;
    }

    @Test
    void aStopTextThatEndsBeforeTheMinimumDoesNotCount() {
        var scanner = new StopScanner(List.of("ab"), false);
        assertEquals("xab", scanner.append("xab", false));
        assertEquals("y", scanner.append("ya", false));
        assertEquals("", scanner.append("bz", true));
        assertEquals(Optional.of("ab"), scanner.found());
    }

    @Test
    void withoutStopTextsNothingIsHeldBack() {
        assertEquals("abc", new StopScanner(List.of(), false).append("abc", true));
    }
}
