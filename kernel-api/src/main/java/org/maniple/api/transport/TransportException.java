package org.maniple.api.transport;

import java.io.Serial;
import org.maniple.api.ManipleException;

/** Ranks cannot reach each other, do not trust each other, or disagree about what they are doing. */
public class TransportException extends ManipleException {

    @Serial
    private static final long serialVersionUID = 1L;

    /**
     * A failure with its explanation.
     *
     * @param message which rank and address, what was attempted, and why it failed
     */
    public TransportException(String message) {
        super(message);
    }

    /**
     * A failure with its cause.
     *
     * @param message which rank and address, what was attempted, and why it failed
     * @param cause the deeper cause
     */
    public TransportException(String message, Throwable cause) {
        super(message, cause);
    }
}
