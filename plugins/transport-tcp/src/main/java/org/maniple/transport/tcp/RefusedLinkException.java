package org.maniple.transport.tcp;

import java.io.Serial;
import org.maniple.api.transport.TransportException;

/** Two ends do not belong together: trying again would not help. */
final class RefusedLinkException extends TransportException {

    @Serial
    private static final long serialVersionUID = 1L;

    RefusedLinkException(String message) {
        super(message);
    }

    static RefusedLinkException secret(String peer) {
        return new RefusedLinkException(
                peer + " does not know the unit secret (or ours differs); give all ranks of the unit the same one");
    }

    static RefusedLinkException version(String peer, int theirs) {
        return new RefusedLinkException(
                peer + " speaks version " + theirs + " of the protocol, this rank version " + Preface.VERSION
                        + "; run the same release on all nodes");
    }
}
