package org.maniple.api.engine;

import java.io.Serial;
import org.maniple.api.ManipleException;

/** The engine does not take a request. */
public final class RefusedException extends ManipleException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final Reason reason;

    /** Why a request is refused. */
    public enum Reason {
        /** It can never be served: it is too long, or a value is out of range. */
        INVALID,
        /** The unit cannot serve at present: it starts, drains, or has lost a rank. */
        UNAVAILABLE,
        /** Too many requests wait. */
        OVERLOADED
    }

    /**
     * A refusal.
     *
     * @param reason why
     * @param message a sentence for the client
     */
    public RefusedException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    /**
     * Why the request is refused.
     *
     * @return the reason
     */
    public Reason reason() {
        return reason;
    }
}
