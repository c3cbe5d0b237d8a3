package org.maniple.api.model;

import java.io.Serial;
import org.maniple.api.ManipleException;

/** A model's {@code config.json} lacks a key or has a value that cannot be used. */
public final class ModelConfigException extends ManipleException {

    @Serial
    private static final long serialVersionUID = 1L;

    /**
     * A key that cannot be used.
     *
     * @param message file, key, what it should be, and what it is
     */
    public ModelConfigException(String message) {
        super(message);
    }
}
