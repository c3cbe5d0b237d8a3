package org.maniple.kernel.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SelectionTest {

    /** By a full sort, as the definition has it. */
    private static List<Integer> reference(double[] logits, double minP, int topK, double topP) {
        List<Integer> order = new ArrayList<>(IntStream.range(0, logits.length).boxed()
                .sorted(Comparator.<Integer>comparingDouble(i -> -logits[i]).thenComparing(i -> i)).toList());
        double greatest = logits[order.getFirst()];
        order.removeIf(i -> logits[i] < greatest + Math.log(minP));
        if (topK > 0 && topK < order.size()) {
            double last = logits[order.get(topK - 1)];
            order.removeIf(i -> logits[i] < last);
        }
        double total = order.stream().mapToDouble(i -> Math.exp(logits[i] - greatest)).sum();
        var kept = new ArrayList<Integer>();
        double ahead = 0;
        for (int i : order) {
            if (topP == 1 || ahead < topP * total) {
                kept.add(i);
            }
            ahead += Math.exp(logits[i] - greatest);
        }
        return kept;
    }

    @Test
    void partitioningKeepsWhatSortingWouldKeep() {
        var random = new Random(1);
        var selection = new Selection(400);
        for (int round = 0; round < 3_000; round++) {
            // Few distinct values, so that many are equal; shares that no sum of them meets exactly.
            boolean ties = random.nextBoolean();
            double[] logits = random.doubles(1 + random.nextInt(400)).map(x -> ties ? Math.floor(x * 7) : x * 7).toArray();
            double minP = random.nextInt(3) == 0 ? random.nextDouble() : 0;
            int topK = random.nextInt(3) == 0 ? 1 + random.nextInt(50) : 0;
            double topP = random.nextInt(3) == 0 ? 1 : random.nextDouble() * 0.999 + 0.0005;
            selection.clear();
            for (int i = 0; i < logits.length; i++) {
                selection.add(i, logits[i]);
            }
            selection.filter(1, minP, topK, topP);
            var kept = IntStream.range(0, selection.size()).map(selection::id).boxed().toList();
            assertEquals(new TreeSet<>(reference(logits, minP, topK, topP)), new TreeSet<>(kept));
        }
    }

    @Test
    void aDrawDependsOnSeedPositionAndTokensAlone() {
        var random = new Random(2);
        var forwards = new Selection(100);
        var backwards = new Selection(100);
        for (int round = 0; round < 1_000; round++) {
            double[] logits = random.doubles(100).map(x -> x * 3).toArray();
            forwards.clear();
            backwards.clear();
            for (int i = 0; i < 100; i++) {
                forwards.add(i, logits[i]);
                backwards.add(99 - i, logits[99 - i]);
            }
            assertEquals(forwards.draw(7, round), backwards.draw(7, round));
        }
    }

    @Test
    void tokensThatNothingMayDrawAreLeftOut() {
        var selection = new Selection(4);
        selection.add(0, Double.NEGATIVE_INFINITY);
        selection.add(1, Double.NaN);
        selection.filter(0.7, 0.1, 3, 0.5);
        assertEquals(0, selection.size());
        assertEquals(Sampler.NONE, selection.draw(1, 1));
    }

    @Test
    void extremeLogitsAreDrawnWithoutAnEndlessLoop() {
        var selection = new Selection(4);
        selection.add(0, Double.POSITIVE_INFINITY);
        selection.add(1, Double.POSITIVE_INFINITY);
        selection.add(2, -1e300);
        selection.add(3, 1e300);
        selection.filter(1e-4, 0.1, 3, 0.5);
        int drawn = selection.draw(1, 1);
        assertEquals(true, drawn == 0 || drawn == 1, "drew " + drawn);
    }
}
