package org.maniple.api.checkpoint;

import java.io.Serial;
import org.maniple.api.ManipleException;

/** A checkpoint is damaged, or lacks what a model needs. */
public final class CheckpointException extends ManipleException {

    @Serial
    private static final long serialVersionUID = 1L;

    /**
     * A damaged or incomplete checkpoint.
     *
     * @param message file, tensor, what was expected, and what is there
     */
    public CheckpointException(String message) {
        super(message);
    }

    /**
     * A checkpoint that cannot be read.
     *
     * @param message file and what was attempted
     * @param cause what went wrong
     */
    public CheckpointException(String message, Throwable cause) {
        super(message, cause);
    }
}
