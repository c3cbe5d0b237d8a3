package org.maniple.transport.rdma;

import java.io.Serial;

/** UCX says that something has failed. */
final class UcxException extends Exception {

    @Serial
    private static final long serialVersionUID = 1L;

    UcxException(String message) {
        super(message);
    }
}
