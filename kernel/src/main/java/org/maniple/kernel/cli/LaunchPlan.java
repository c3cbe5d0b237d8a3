package org.maniple.kernel.cli;

import java.util.List;
import org.maniple.kernel.config.UnitConfiguration;

/**
 * What a command that starts a unit was asked for.
 *
 * @param configuration the configuration, without mistakes
 * @param rankArguments what makes {@code maniple rank} read the same configuration: the file, if there is one, and the flags
 */
public record LaunchPlan(UnitConfiguration configuration, List<String> rankArguments) {

    /** Copies the list. */
    public LaunchPlan {
        rankArguments = List.copyOf(rankArguments);
    }
}
