package org.maniple.parallel.tp;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.maniple.api.tensor.UnitList;

/** How many units each rank gets, and from these counts the consecutive units themselves. */
final class Shares {

    /** Shares are rounded to the quantum only if no rank then gets more than this part above its due. */
    private static final double TOLERATED_IMBALANCE = 0.10;

    private Shares() {}

    /**
     * Deals units by weight with the method of the largest remainder; of equal remainders the earlier rank's counts. With equal
     * weights the earlier ranks get the larger shares.
     *
     * @return one count for each weight
     */
    static List<Integer> deal(int units, List<Double> weights) {
        double total = weights.stream().mapToDouble(Double::doubleValue).sum();
        int parts = weights.size();
        int[] counts = new int[parts];
        long[] remainders = new long[parts];
        int dealt = 0;
        for (int i = 0; i < parts; i++) {
            double due = units * (weights.get(i) / total);
            counts[i] = (int) Math.floor(due + 1e-9);
            remainders[i] = Math.round((due - counts[i]) * 1e9);
            dealt += counts[i];
        }
        List<Integer> byRemainder = IntStream.range(0, parts).filter(i -> weights.get(i) > 0).boxed()
                .sorted((a, b) -> Long.compare(remainders[b], remainders[a]))
                .toList();
        for (int i = 0; dealt < units; i = (i + 1) % byRemainder.size()) {
            counts[byRemainder.get(i)]++;
            dealt++;
        }
        return IntStream.of(counts).boxed().toList();
    }

    /**
     * Deals units in whole quanta where that leaves the shares balanced, otherwise one by one.
     *
     * @return one count for each weight; all but the last that is not 0 are multiples of the quantum, unless that would be too uneven
     */
    static List<Integer> deal(int units, List<Double> weights, int quantum) {
        if (quantum <= 1) {
            return deal(units, weights);
        }
        int quanta = Math.ceilDiv(units, quantum);
        var rounded = new ArrayList<Integer>();
        int from = 0;
        for (int count : deal(quanta, weights)) {
            int to = (int) Math.min(units, from + (long) count * quantum);
            rounded.add(to - from);
            from = to;
        }
        return balanced(rounded, units, weights) ? rounded : deal(units, weights);
    }

    /** Consecutive units with these counts. */
    static List<UnitList> ranges(List<Integer> counts) {
        var lists = new ArrayList<UnitList>();
        int from = 0;
        for (int count : counts) {
            lists.add(UnitList.range(from, from + count));
            from += count;
        }
        return lists;
    }

    static List<Double> equal(int parts) {
        return Collections.nCopies(parts, 1.0);
    }

    private static boolean balanced(List<Integer> counts, int units, List<Double> weights) {
        double total = weights.stream().mapToDouble(Double::doubleValue).sum();
        for (int i = 0; i < counts.size(); i++) {
            if (counts.get(i) > units * (weights.get(i) / total) * (1 + TOLERATED_IMBALANCE)) {
                return false;
            }
        }
        return true;
    }
}
