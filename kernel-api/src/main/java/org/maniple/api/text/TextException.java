package org.maniple.api.text;

import java.io.Serial;
import org.maniple.api.ManipleException;

/** A tokenizer or a chat template cannot be loaded, or a template refuses its input. */
public final class TextException extends ManipleException {

    @Serial
    private static final long serialVersionUID = 1L;

    /**
     * A failure with its explanation.
     *
     * @param message what was attempted, where (file and field, or template line), and why it failed
     */
    public TextException(String message) {
        super(message);
    }

    /**
     * A failure with its cause.
     *
     * @param message what was attempted, where, and why it failed
     * @param cause the deeper cause
     */
    public TextException(String message, Throwable cause) {
        super(message, cause);
    }
}
