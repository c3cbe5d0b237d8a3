package org.maniple.kernel.remote;

import java.io.Serial;
import org.maniple.api.ManipleException;

/** A frame that does not say what a frame may say. */
public final class MalformedFrameException extends ManipleException {

    @Serial
    private static final long serialVersionUID = 1L;

    MalformedFrameException(String message) {
        super(message);
    }
}
