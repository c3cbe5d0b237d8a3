package org.maniple.system;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * A pairwise cover: few rows that together have every pair of levels (of two different factors) that a whole list of rows has. Greedy: each
 * next row is the one with most pairs that no row before has; of equal ones the one whose levels and kind were taken least often, then the first.
 */
final class Cover {

    private Cover() {}

    /** Two levels of two factors, by the factors' positions. */
    private record Pair(int first, String firstLevel, int second, String secondLevel) {}

    /**
     * Chooses rows.
     *
     * @param given rows that are taken anyway; they are not among the result
     * @param rows all rows that there are, in an order that breaks ties
     * @param levels the levels of a row, one for each factor; an empty one means that the factor does not apply to the row
     * @param kind what else should not be the same in many rows
     */
    static <T> List<T> pairwise(List<T> given, List<T> rows, Function<T, List<String>> levels, Function<T, String> kind) {
        var open = new LinkedHashSet<Pair>();
        rows.forEach(row -> open.addAll(pairs(levels.apply(row))));
        given.forEach(row -> open.removeAll(pairs(levels.apply(row))));
        var taken = new HashMap<String, Integer>();
        given.forEach(row -> words(row, levels, kind).forEach(word -> taken.merge(word, 1, Integer::sum)));
        var chosen = new ArrayList<T>();
        while (!open.isEmpty()) {
            T best = rows.getFirst();
            long bestRank = -1;
            for (T row : rows) {
                Set<Pair> fresh = pairs(levels.apply(row));
                fresh.retainAll(open);
                long rank = fresh.size() * 10_000L
                        - words(row, levels, kind).mapToInt(word -> taken.getOrDefault(word, 0)).sum();
                if (!fresh.isEmpty() && rank > bestRank) {
                    best = row;
                    bestRank = rank;
                }
            }
            chosen.add(best);
            open.removeAll(pairs(levels.apply(best)));
            words(best, levels, kind).forEach(word -> taken.merge(word, 1, Integer::sum));
        }
        return List.copyOf(chosen);
    }

    private static <T> Stream<String> words(T row, Function<T, List<String>> levels, Function<T, String> kind) {
        return Stream.concat(levels.apply(row).stream(), Stream.of(kind.apply(row))).filter(word -> !word.isEmpty());
    }

    private static Set<Pair> pairs(List<String> levels) {
        var pairs = new HashSet<Pair>();
        for (int i = 0; i < levels.size(); i++) {
            for (int j = i + 1; j < levels.size(); j++) {
                if (!levels.get(i).isEmpty() && !levels.get(j).isEmpty()) {
                    pairs.add(new Pair(i, levels.get(i), j, levels.get(j)));
                }
            }
        }
        return pairs;
    }

    /** How often each level is in these rows, by factor. */
    static <T> List<Map<String, Integer>> counts(List<T> rows, Function<T, List<String>> levels) {
        var counts = new ArrayList<Map<String, Integer>>();
        for (T row : rows) {
            List<String> all = levels.apply(row);
            for (int i = 0; i < all.size(); i++) {
                while (counts.size() <= i) {
                    counts.add(new HashMap<>());
                }
                if (!all.get(i).isEmpty()) {
                    counts.get(i).merge(all.get(i), 1, Integer::sum);
                }
            }
        }
        return counts;
    }
}
