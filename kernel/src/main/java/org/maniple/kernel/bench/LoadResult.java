package org.maniple.kernel.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What a server did under load.
 *
 * @param pace of the requests
 * @param requests sent
 * @param failures by reason
 * @param seconds from the first request to the end of the last one
 * @param tokens of all answers
 * @param firstToken milliseconds from a request to the first part of its answer; empty if none was answered
 * @param betweenTokens milliseconds between two parts of an answer; empty if none had two
 */
public record LoadResult(LoadPlan.Pace pace, int requests, Map<String, Integer> failures, double seconds, long tokens,
        Optional<Samples> firstToken, Optional<Samples> betweenTokens) {

    /** Copies the map. */
    public LoadResult {
        failures = Map.copyOf(failures);
    }

    static LoadResult of(LoadPlan.Pace pace, List<Answer> answers) {
        var failures = new TreeMap<String, Integer>();
        var first = new ArrayList<Double>();
        var between = new ArrayList<Double>();
        long begin = Long.MAX_VALUE;
        long end = Long.MIN_VALUE;
        long tokens = 0;
        for (Answer answer : answers) {
            begin = Math.min(begin, answer.start());
            end = Math.max(end, answer.end());
            if (answer.failure().isPresent()) {
                failures.merge(answer.failure().get(), 1, Integer::sum);
                continue;
            }
            tokens += answer.tokens();
            first.add(answer.millisToFirst());
            for (int i = 1; i < answer.chunks().size(); i++) {
                between.add((answer.chunks().get(i) - answer.chunks().get(i - 1)) / 1e6);
            }
        }
        return new LoadResult(pace, answers.size(), failures, answers.isEmpty() ? 0 : (end - begin) / 1e9, tokens, samples(first),
                samples(between));
    }

    private static Optional<Samples> samples(List<Double> values) {
        return values.isEmpty() ? Optional.empty() : Optional.of(new Samples(values));
    }

    /**
     * Requests that failed.
     *
     * @return how many
     */
    public int failed() {
        return failures.values().stream().mapToInt(Integer::intValue).sum();
    }

    /**
     * Tokens of all answers over the whole time.
     *
     * @return per second
     */
    public double tokensPerSecond() {
        return seconds == 0 ? 0 : tokens / seconds;
    }

    /**
     * Requests that were answered over the whole time.
     *
     * @return per second
     */
    public double requestsPerSecond() {
        return seconds == 0 ? 0 : (requests - failed()) / seconds;
    }
}
