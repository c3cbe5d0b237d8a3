package org.maniple.kernel.step;

import java.io.Serial;
import org.maniple.api.ManipleException;

/** A step frame that a rank received is not one that rank 0 of the same unit can have written. */
public final class StepFrameException extends ManipleException {

    @Serial
    private static final long serialVersionUID = 1L;

    /**
     * A refusal.
     *
     * @param message which field, the value that is there, and what may be there
     */
    public StepFrameException(String message) {
        super(message);
    }
}
