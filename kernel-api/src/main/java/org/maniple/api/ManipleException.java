package org.maniple.api;

import java.io.Serial;

/** Something failed for a reason that a user can act upon: the message says what was asked, what is there, and what to do. */
public class ManipleException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1L;

    /**
     * A failure without a deeper cause.
     *
     * @param message what was asked, what is there, what to do
     */
    public ManipleException(String message) {
        super(message);
    }

    /**
     * A failure with its cause.
     *
     * @param message what was asked, what is there, what to do
     * @param cause the deeper cause
     */
    public ManipleException(String message, Throwable cause) {
        super(message, cause);
    }
}
