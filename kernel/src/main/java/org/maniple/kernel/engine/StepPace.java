package org.maniple.kernel.engine;

import java.time.Duration;
import java.util.Arrays;

/**
 * Says how many tokens of prompts may share a step with sequences that have begun to answer, so that these do not stand still: the step
 * should take at most a certain number of times as long as one without prompts, or a time that no reader notices if that is longer: small
 * models answer so fast that the prompts beside them would hardly go on otherwise, since every step reads all weights and the whole cache of a
 * prompt however few of its tokens it has. What steps take is measured while the unit runs. Used by the
 * engine's thread alone; allocates nothing once it is made.
 */
final class StepPace {

    /** Fewer tokens would hardly be cheaper. */
    static final int LEAST = 8;

    private static final int UNKNOWN = -1;
    /** After so many steps with prompts, one without them is measured again. */
    private static final int REMEMBERED = 256;
    private static final double NEW_PLAIN = 0.2;
    private static final double DEARER = 0.5;
    private static final double CHEAPER = 0.2;
    /** One step that the machine has held up must not count as if all were like that. */
    private static final double OUTLIER = 2;

    private final double stretch;
    private final double smooth;
    /** By the binary logarithm of the number of sequences: nanoseconds of a step without prompts, and the steps with prompts since. */
    private final double[] plain = new double[Integer.SIZE];
    private final int[] age = new int[Integer.SIZE];
    private double perToken = UNKNOWN;

    /**
     * @param stretch how many times as long as without prompts a step may take; 0: any time
     * @param smooth what a step may take in any case
     */
    StepPace(double stretch, Duration smooth) {
        this.stretch = stretch;
        this.smooth = smooth.toNanos();
        Arrays.fill(plain, UNKNOWN);
    }

    /**
     * How many tokens of prompts a step may have.
     *
     * @param streams sequences that have begun to answer
     * @param share sequences whose prompts are to be computed for each of them: where it is more than one, they may take more time
     * @return at least some, or none once in a while, to find out what a step takes without them
     */
    int promptTokens(int streams, double share) {
        if (stretch == 0 || streams == 0) {
            return Integer.MAX_VALUE;
        }
        int kind = kind(streams);
        if (plain[kind] == UNKNOWN || age[kind] >= REMEMBERED) {
            return 0;
        }
        if (perToken == UNKNOWN) {
            return LEAST;
        }
        double longest = Math.max(stretch * plain[kind], smooth) * Math.max(1, share);
        double tokens = (longest - plain[kind]) / perToken;
        return (int) Math.clamp(tokens, LEAST, Integer.MAX_VALUE);
    }

    /**
     * Takes note of a step without tokens of prompts, in it or in another batch in flight.
     *
     * @param streams as above
     * @param nanos what it took
     */
    void plain(int streams, long nanos) {
        if (streams > 0) {
            int kind = kind(streams);
            double known = plain[kind];
            plain[kind] = known == UNKNOWN ? nanos : known + NEW_PLAIN * (Math.min((double) nanos, OUTLIER * known) - known);
            age[kind] = 0;
        }
    }

    /**
     * Takes note of a step with tokens of prompts.
     *
     * @param streams as above
     * @param answering those of them that took part in it: with several batches in flight they may be in another one
     * @param promptTokens how many
     * @param nanos what it took
     */
    void withPrompts(int streams, int answering, int promptTokens, long nanos) {
        if (streams == 0 || plain[kind(streams)] == UNKNOWN) {
            return;
        }
        int kind = kind(streams);
        age[kind]++;
        double ofPrompts = Math.max(plain[kind] / (1 << 10), answering == 0 ? (double) nanos : nanos - plain[kind]);
        double now = ofPrompts / promptTokens;
        if (perToken == UNKNOWN) {
            perToken = now;
        } else {
            double sure = Math.min(now, OUTLIER * perToken);
            perToken += (sure > perToken ? DEARER : CHEAPER) * (sure - perToken);
        }
    }

    private static int kind(int streams) {
        return Integer.SIZE - 1 - Integer.numberOfLeadingZeros(streams);
    }
}
