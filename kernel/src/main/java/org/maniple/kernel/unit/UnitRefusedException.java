package org.maniple.kernel.unit;

import java.io.Serial;
import java.util.List;
import org.maniple.api.ManipleException;

/** Ranks that must be alike are not, or one that is not wanted asked to join. */
public final class UnitRefusedException extends ManipleException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final transient List<String> reasons;
    private final boolean configuration;

    UnitRefusedException(List<String> reasons, boolean configuration) {
        super("the ranks do not form a unit:\n  " + String.join("\n  ", reasons));
        this.reasons = List.copyOf(reasons);
        this.configuration = configuration;
    }

    /**
     * All differences.
     *
     * @return each names the field, both values, and both ranks
     */
    public List<String> reasons() {
        return reasons;
    }

    /**
     * What the process exits with.
     *
     * @return 2 if the ranks were started or configured differently, 1 if a rank came to a unit that runs already
     */
    public int exitCode() {
        return configuration ? 2 : 1;
    }
}
