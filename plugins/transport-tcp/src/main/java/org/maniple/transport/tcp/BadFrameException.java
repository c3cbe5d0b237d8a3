package org.maniple.transport.tcp;

import java.io.Serial;
import org.maniple.api.transport.Tag;

/** A peer sent something that was not expected. The message goes on after the peer's name. */
final class BadFrameException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1L;

    BadFrameException(String message) {
        super(message);
    }

    BadFrameException(long tag, long bytes, TcpPending expected) {
        super("sent " + Tag.describe(tag) + " with " + bytes + " bytes, but this rank expects " + expected);
    }
}
