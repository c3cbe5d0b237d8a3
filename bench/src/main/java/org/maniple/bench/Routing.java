package org.maniple.bench;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.maniple.api.collective.PairExchange;

/**
 * Which experts the tokens of all ranks have chosen; experts lie linearly on the ranks.
 *
 * @param ranks how many there are
 * @param expertsOfRank experts on each rank
 * @param chosen by rank, token and choice: an expert
 */
record Routing(int ranks, int expertsOfRank, int[][][] chosen) {

    /** The power by which Zipf's popularity falls. */
    private static final double EXPONENT = 1.0;

    /** Choices without repetition; a skewed one prefers some experts, which lie anywhere, as 1, 1/2, 1/3 … */
    static Routing of(int ranks, int expertsOfRank, int tokens, int choices, boolean skewed, Random random) {
        double[] popularity = popularity(ranks * expertsOfRank, skewed, random);
        int[][][] chosen = new int[ranks][tokens][];
        for (int[][] rank : chosen) {
            Arrays.setAll(rank, token -> draw(popularity, choices, random));
        }
        return new Routing(ranks, expertsOfRank, chosen);
    }

    private static double[] popularity(int experts, boolean skewed, Random random) {
        double[] popularity = new double[experts];
        Arrays.setAll(popularity, i -> skewed ? 1 / Math.pow(i + 1, EXPONENT) : 1);
        for (int i = experts - 1; i > 0; i--) {
            int other = random.nextInt(i + 1);
            double kept = popularity[i];
            popularity[i] = popularity[other];
            popularity[other] = kept;
        }
        return popularity;
    }

    private static int[] draw(double[] popularity, int choices, Random random) {
        double[] left = popularity.clone();
        int[] drawn = new int[choices];
        for (int choice = 0; choice < choices; choice++) {
            double at = random.nextDouble() * Arrays.stream(left).sum();
            int expert = 0;
            while (left[expert] == 0 || at >= left[expert]) {
                at -= left[expert];
                expert = (expert + 1) % left.length;
            }
            drawn[choice] = expert;
            left[expert] = 0;
        }
        Arrays.sort(drawn);
        return drawn;
    }

    int tokens() {
        return chosen[0].length;
    }

    int choices() {
        return chosen[0][0].length;
    }

    PairExchange.Owners owners(int rank) {
        return new PairExchange.Owners() {
            @Override
            public int position(int token, int choice) {
                return chosen[rank][token][choice] / expertsOfRank;
            }

            @Override
            public int slot(int token, int choice) {
                return chosen[rank][token][choice] % expertsOfRank;
            }
        };
    }

    /** Pairs of a token and another rank that has one of its experts: so many rows must go there, and so many sums must come back. */
    long visits() {
        return IntStream.range(0, ranks).mapToLong(rank -> Arrays.stream(chosen[rank])
                .mapToLong(token -> IntStream.of(token).map(expert -> expert / expertsOfRank).distinct()
                        .filter(owner -> owner != rank).count())
                .sum()).sum();
    }
}
