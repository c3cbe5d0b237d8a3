package org.maniple.transport.rdma;

/**
 * Results of UCX' functions, {@code ucs_status_t}: an enum that is packed into one signed byte. And {@code ucs_status_ptr_t}: an address that is
 * one of these numbers, or that of a request under way.
 */
final class Status {

    static final byte OK = 0;
    static final byte IN_PROGRESS = 1;
    static final byte NO_DEVICE = -14;
    static final byte BUSY = -15;
    static final byte CANCELED = -16;
    /** The last number that can be an error; addresses below 0 and above it are errors, too, in words of 8 bytes. */
    private static final long LAST = -100;

    private Status() {}

    /** Whether an address is that of a request, rather than a status. */
    static boolean isRequest(long address) {
        return address != OK && !isError(address);
    }

    /** Whether an address is an error. */
    static boolean isError(long address) {
        return address < 0 && address >= LAST;
    }
}
