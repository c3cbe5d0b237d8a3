package org.maniple.kernel.structured;

import java.io.Serial;
import org.maniple.api.ManipleException;

/** A constraint that cannot be compiled: it is malformed, uses something unsupported, is too large, or no text satisfies it. */
public final class ConstraintException extends ManipleException {

    @Serial
    private static final long serialVersionUID = 1L;

    /**
     * A refusal.
     *
     * @param message what was asked, why it is refused, what to do
     */
    public ConstraintException(String message) {
        super(message);
    }
}
