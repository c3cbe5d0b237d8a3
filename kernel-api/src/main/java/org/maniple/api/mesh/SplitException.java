package org.maniple.api.mesh;

import java.io.Serial;
import org.maniple.api.ManipleException;

/** An axis cannot be split as a configuration asks. */
public final class SplitException extends ManipleException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String key;

    /**
     * An impossible split.
     *
     * @param key the configuration key that asks for it
     * @param message what was asked, what is there, and what would work
     */
    public SplitException(String key, String message) {
        super(message);
        this.key = key;
    }

    /**
     * The configuration key that asks for the split.
     *
     * @return the key
     */
    public String key() {
        return key;
    }
}
