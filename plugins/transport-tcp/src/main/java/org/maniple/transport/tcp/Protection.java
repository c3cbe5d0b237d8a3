package org.maniple.transport.tcp;

import javax.net.ssl.SSLEngine;

/** What two ends have agreed on for the frames of one connection. */
sealed interface Protection {

    /** In this mode. */
    LinkSecurity security();

    /** Ends frames that leave. */
    default Seal outgoing(Views views) {
        return new Checksum(views);
    }

    /** Ends frames that come. */
    default Seal incoming(Views views) {
        return new Checksum(views);
    }

    /** Checksums. */
    record Plain() implements Protection {
        @Override
        public LinkSecurity security() {
            return LinkSecurity.AUTH;
        }
    }

    /**
     * Codes.
     *
     * @param sending the key for frames that leave
     * @param receiving the key for frames that come
     */
    record Keyed(byte[] sending, byte[] receiving) implements Protection {
        @Override
        public LinkSecurity security() {
            return LinkSecurity.INTEGRITY;
        }

        @Override
        public Seal outgoing(Views views) {
            return new Code(sending);
        }

        @Override
        public Seal incoming(Views views) {
            return new Code(receiving);
        }
    }

    /**
     * TLS, whose handshake is over; checksums stay, they cost next to nothing beside it.
     *
     * @param engine for use by one thread
     */
    record Encrypted(SSLEngine engine) implements Protection {
        @Override
        public LinkSecurity security() {
            return LinkSecurity.ENCRYPT;
        }
    }
}
