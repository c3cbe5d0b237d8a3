package org.maniple.kernel.unit;

import java.io.Serial;

/** Bytes that are not a message. */
final class MalformedMessageException extends Exception {

    @Serial
    private static final long serialVersionUID = 1L;

    MalformedMessageException(String message) {
        super(message);
    }
}
