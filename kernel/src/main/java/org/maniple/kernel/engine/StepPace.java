package org.maniple.kernel.engine;

import java.time.Duration;
import java.util.Arrays;

/**
 * Says how many tokens of prompts may share a step with sequences that have begun to answer, so that these do not stand still: the step
 * should take at most a certain number of times as long as one without prompts. Where a prompt would then take much longer than it does while nothing
 * answers, a step may take more, up to a time that no reader notices: every step reads all weights and the whole cache of a prompt however few of
 * its tokens it has, which on some machines costs more than the rest. What steps take is measured while the unit runs. Used by the
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
    /** How many times as long as alone a prompt may take before its steps may be longer. */
    private static final double SLOWER = 1.5;
    /** Positions that are thought to cost the same. */
    private static final int RANGE = 512;
    private static final int RANGES = 64;
    private static final double NEW_ALONE = 0.3;

    private final double stretch;
    private final double smooth;
    /** By the binary logarithm of the number of sequences: nanoseconds of a step without prompts, and the steps with prompts since. */
    private final double[] plain = new double[Integer.SIZE];
    private final int[] age = new int[Integer.SIZE];
    private double perToken = UNKNOWN;
    /** By the positions of prompts: nanoseconds of a token while nothing answers. */
    private final double[] alone = new double[RANGES];
    /** Of the prompt that came first until now: where it went on, and how much sooner it got there than it had to, in nanoseconds. */
    private int lastPosition;
    private double ahead;

    /**
     * @param stretch how many times as long as without prompts a step may take; 0: any time
     * @param smooth what a step may take where prompts would take too long otherwise
     */
    StepPace(double stretch, Duration smooth) {
        this.stretch = stretch;
        this.smooth = smooth.toNanos();
        Arrays.fill(plain, UNKNOWN);
        Arrays.fill(alone, UNKNOWN);
    }

    /**
     * How many tokens of prompts a step may have.
     *
     * @param streams sequences that have begun to answer
     * @param share sequences whose prompts are to be computed for each of them: where it is more than one, they may take more time
     * @param position where the prompt goes on that comes first
     * @return at least some, or none once in a while, to find out what a step takes without them
     */
    int promptTokens(int streams, double share, int position) {
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
        double more = Math.max(1, share);
        double tokens = tokens(stretch * plain[kind] * more, plain[kind]);
        if (isLate(position)) {
            tokens = Math.max(tokens, Math.min(enough(plain[kind], position), tokens(smooth * more, plain[kind])));
        }
        return (int) Math.clamp(tokens, LEAST, Integer.MAX_VALUE);
    }

    /** How many tokens there may be for a step to take so long. */
    private double tokens(double nanos, double without) {
        return (nanos - without) / perToken;
    }

    /** Whether a prompt will take too long, by what it has taken so far. It is, until it is known how long it takes alone. */
    private boolean isLate(int position) {
        return known(position) == UNKNOWN || position >= lastPosition && ahead < 0;
    }

    /** How many tokens there must be for a prompt to go on fast enough. */
    private double enough(double without, int position) {
        double known = known(position);
        double left = SLOWER * known - perToken;
        return known == UNKNOWN || left <= 0 ? Double.POSITIVE_INFINITY : without / left;
    }

    /** What a token takes alone there, or at the last positions before of which it is known. */
    private double known(int position) {
        int range = range(position);
        while (range > 0 && alone[range] == UNKNOWN) {
            range--;
        }
        return alone[range];
    }

    private static int range(int position) {
        return Math.min(position / RANGE, RANGES - 1);
    }

    /**
     * Takes note of a step with tokens of prompts alone.
     *
     * @param promptTokens how many
     * @param position where the first prompt went on
     * @param nanos what it took
     */
    void alone(int promptTokens, int position, long nanos) {
        // What a few tokens cost says nothing about many.
        if (promptTokens >= RANGE / 4) {
            int range = range(position);
            double now = (double) nanos / promptTokens;
            double known = alone[range];
            alone[range] = known == UNKNOWN ? now : known + NEW_ALONE * (Math.min(now, OUTLIER * known) - known);
        }
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
     * @param position where the first prompt went on
     * @param nanos what it took
     */
    void withPrompts(int streams, int answering, int promptTokens, int position, long nanos) {
        double may = SLOWER * known(position) * promptTokens;
        ahead = (position > lastPosition ? ahead : 0) + (may < 0 ? 0 : may - nanos);
        lastPosition = position;
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
