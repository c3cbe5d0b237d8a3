package org.maniple.transport.rdma;

import java.io.Serial;

/** A frame is not the one that is expected, or not as it was sent. */
final class BadFrameException extends Exception {

    @Serial
    private static final long serialVersionUID = 1L;

    BadFrameException(String message) {
        super(message);
    }
}
