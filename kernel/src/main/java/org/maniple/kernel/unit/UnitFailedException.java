package org.maniple.kernel.unit;

import java.io.Serial;
import org.maniple.api.ManipleException;

/** The unit cannot start or go on: a failure at run time. The process exits with code 1. */
public final class UnitFailedException extends ManipleException {

    @Serial
    private static final long serialVersionUID = 1L;

    UnitFailedException(String message) {
        super(message);
    }

    UnitFailedException(String message, Throwable cause) {
        super(message, cause);
    }
}
