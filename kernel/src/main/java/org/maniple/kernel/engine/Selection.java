package org.maniple.kernel.engine;

import java.util.Arrays;

/**
 * The tokens among which one is drawn, narrowed step by step. Nothing is sorted: the filters partition (Hoare's selection), which takes
 * time proportional to the number of tokens. Arrays are allocated once.
 */
final class Selection {

    private static final double LN2 = Math.log(2);

    private final int[] ids;
    private final double[] logits;
    private final double[] weights;
    private int size;
    private int equalFrom;
    private int equalTo;

    Selection(int capacity) {
        ids = new int[capacity];
        logits = new double[capacity];
        weights = new double[capacity];
    }

    void clear() {
        size = 0;
    }

    /** Adds a token, unless nothing may draw it. */
    void add(int token, double logit) {
        if (logit > Double.NEGATIVE_INFINITY) {
            ids[size] = token;
            logits[size++] = logit;
        }
    }

    int size() {
        return size;
    }

    int id(int index) {
        return ids[index];
    }

    /** The probability of a token among those that are left. */
    double probability(int index) {
        double greatest = greatest();
        double sum = 0;
        for (int i = 0; i < size; i++) {
            sum += Math.exp(logits[i] - greatest);
        }
        return Math.exp(logits[index] - greatest) / sum;
    }

    /** Temperature, min-p, top-k, top-p, in vLLM's order. */
    void filter(double temperature, double minP, int topK, double topP) {
        for (int i = 0; i < size; i++) {
            logits[i] /= temperature;
        }
        if (minP > 0) {
            keepAtLeast(greatest() + Math.log(minP));
        }
        if (topK > 0 && topK < size) {
            keepAtLeast(nthGreatest(topK));
        }
        if (topP < 1) {
            keepMass(topP);
        }
    }

    private double greatest() {
        double greatest = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < size; i++) {
            greatest = Math.max(greatest, logits[i]);
        }
        return greatest;
    }

    private void keepAtLeast(double threshold) {
        int kept = 0;
        for (int i = 0; i < size; i++) {
            if (logits[i] >= threshold) {
                ids[kept] = ids[i];
                logits[kept++] = logits[i];
            }
        }
        size = kept;
    }

    private double nthGreatest(int n) {
        int from = 0;
        int to = size;
        while (true) {
            double pivot = partition(from, to);
            if (n - 1 < equalFrom) {
                to = equalFrom;
            } else if (n - 1 >= equalTo) {
                from = equalTo;
            } else {
                return pivot;
            }
        }
    }

    /** Keeps the most likely tokens until their share of the probability is reached; of equal ones at the border those of lower id. */
    private void keepMass(double share) {
        double greatest = greatest();
        double needed = 0;
        for (int i = 0; i < size; i++) {
            weights[i] = Math.exp(logits[i] - greatest);
            needed += weights[i];
        }
        needed *= share;
        int from = 0;
        int to = size;
        while (from < to) {
            partition(from, to);
            double above = 0;
            for (int i = from; i < equalFrom; i++) {
                above += weights[i];
            }
            if (above >= needed) {
                to = equalFrom;
                continue;
            }
            needed -= above;
            double each = weights[equalFrom];
            int equal = equalTo - equalFrom;
            if (each * equal >= needed) {
                Arrays.sort(ids, equalFrom, equalTo);
                size = equalFrom + Math.clamp((long) Math.ceil(needed / each), 1, equal);
                return;
            }
            needed -= each * equal;
            from = equalTo;
        }
        size = from;
    }

    /** Orders a range into greater ones, equal ones ({@link #equalFrom} to {@link #equalTo}) and smaller ones, by falling logit. */
    private double partition(int from, int to) {
        double pivot = median(logits[from], logits[(from + to) >>> 1], logits[to - 1]);
        int greater = from;
        int smaller = to;
        int i = from;
        while (i < smaller) {
            if (logits[i] > pivot) {
                swap(i++, greater++);
            } else if (logits[i] < pivot) {
                swap(i, --smaller);
            } else {
                i++;
            }
        }
        equalFrom = greater;
        equalTo = smaller;
        return pivot;
    }

    private static double median(double a, double b, double c) {
        return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
    }

    private void swap(int a, int b) {
        int id = ids[a];
        ids[a] = ids[b];
        ids[b] = id;
        double logit = logits[a];
        logits[a] = logits[b];
        logits[b] = logit;
        double weight = weights[a];
        weights[a] = weights[b];
        weights[b] = weight;
    }

    /**
     * Draws by the Gumbel-max rule: the token with the greatest {@code logit - ln(E)}, E exponentially distributed, has been drawn with
     * the probability that the softmax gives it. Tokens whose E cannot be small enough are passed over without a logarithm.
     *
     * @return the token, or -1 if there is none
     */
    int draw(long seed, long position) {
        long key = CounterRandom.key(seed, position);
        int chosen = -1;
        double best = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < size; i++) {
            long bits = CounterRandom.bits(key, ids[i]);
            if (chosen >= 0 && -(Long.numberOfLeadingZeros(bits) + 1) * LN2 > logits[i] - best) {
                continue;
            }
            double score = logits[i] - StrictMath.log(CounterRandom.exponential(bits));
            if (score > best || score == best && ids[i] < chosen) {
                best = score;
                chosen = ids[i];
            }
        }
        return chosen;
    }
}
