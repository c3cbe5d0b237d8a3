package org.maniple.kernel.bench;

import java.util.List;
import java.util.Optional;

/**
 * What became of a request.
 *
 * @param start when it was sent, in nanoseconds of {@link System#nanoTime}
 * @param chunks when each part of the answer came
 * @param end when it was over
 * @param tokens of the answer, by the server's count or else its parts
 * @param failure why it failed
 */
record Answer(long start, List<Long> chunks, long end, int tokens, Optional<String> failure) {

    Answer {
        chunks = List.copyOf(chunks);
    }

    static Answer failed(long start, String reason) {
        return new Answer(start, List.of(), System.nanoTime(), 0, Optional.of(reason));
    }

    double millisToFirst() {
        return (chunks.getFirst() - start) / 1e6;
    }
}
