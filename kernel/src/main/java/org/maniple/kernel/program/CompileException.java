package org.maniple.kernel.program;

import java.io.Serial;
import org.maniple.api.ManipleException;

/** A graph cannot be spread over a mesh as the rules say. */
public final class CompileException extends ManipleException {

    @Serial
    private static final long serialVersionUID = 1L;

    /**
     * A graph that cannot be spread.
     *
     * @param message the operation, the placements that meet there, and why they do not fit
     */
    public CompileException(String message) {
        super(message);
    }
}
