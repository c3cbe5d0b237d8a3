package org.maniple.parallel.dp;

import java.util.Optional;
import java.util.Set;
import org.maniple.api.config.Derived;
import org.maniple.api.config.Problem;
import org.maniple.api.config.Settings;

/**
 * The ranks of a stage as SGLang counts them: with data-parallel attention its {@code --tp} is all of them, and the ranks that share a
 * head are as many for each group. The long spelling counts as the mesh does.
 *
 * @param ranks what was given
 * @param spelling how
 * @param groups data-parallel size
 */
record StageCount(int ranks, String spelling, int groups) {

    private static final String TENSOR = "tensor-parallel-size";
    private static final Set<String> SHORT = Set.of("tp", "tp-size");

    /** Empty if the sizes count as they are. */
    static Optional<StageCount> of(Settings settings) {
        if (!settings.flag(DataParallelism.ATTENTION) || !settings.declared(TENSOR)
                || !SHORT.contains(settings.spelling(TENSOR))) {
            return Optional.empty();
        }
        return Optional.of(new StageCount(settings.integer(TENSOR), settings.spelling(TENSOR),
                settings.integer(DataParallelism.SIZE)));
    }

    Optional<Derived> derived() {
        return groups == 1 || ranks % groups != 0
                ? Optional.empty()
                : Optional.of(new Derived(TENSOR, Integer.toString(ranks / groups), "because with " + DataParallelism.ATTENTION
                        + " --" + spelling + " counts all " + ranks + " ranks of a stage, which are " + groups + " groups of "
                        + ranks / groups + " (" + TENSOR + " counts those of one group)"));
    }

    Optional<Problem> problem() {
        return ranks % groups == 0
                ? Optional.empty()
                : Optional.of(new Problem(TENSOR, "[" + ranks + "] ranks of a stage (so --" + spelling + " counts with "
                        + DataParallelism.ATTENTION + ") cannot be divided into " + groups + " groups (" + DataParallelism.SIZE
                        + "); give a multiple of " + groups + ", or the ranks of one group as " + TENSOR));
    }
}
