package org.maniple.transport.rdma;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.maniple.api.transport.HostProcess;
import org.maniple.api.transport.TransportException;

/** What peers need to reach a rank, or why they cannot. */
sealed interface Locator permits Locator.Reachable, Locator.Unreachable {

    String PREFIX = "ucx";
    String NONE = "none";

    /**
     * A rank that has a worker.
     *
     * @param place where it runs
     * @param nonce a number that is used once
     * @param worker the address of its worker, in UCX' own form
     */
    record Reachable(HostProcess place, byte[] nonce, byte[] worker) implements Locator {

        @Override
        public String toString() {
            return String.join(":", PREFIX, place.boot(), place.processes(), Long.toString(place.process()),
                    Long.toString(place.started()), encode(nonce), encode(worker));
        }
    }

    /**
     * A rank that has none.
     *
     * @param reason why
     */
    record Unreachable(String reason) implements Locator {

        @Override
        public String toString() {
            return String.join(":", PREFIX, NONE, encode(reason.getBytes(StandardCharsets.UTF_8)));
        }
    }

    private static String encode(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** Reads what {@link Object#toString()} has written. */
    static Locator parse(String text) {
        String[] parts = text.split(":", -1);
        Base64.Decoder decoder = Base64.getUrlDecoder();
        try {
            if (parts.length == 7 && parts[0].equals(PREFIX)) {
                var place = new HostProcess(parts[1], parts[2], Long.parseLong(parts[3]), Long.parseLong(parts[4]));
                return new Reachable(place, decoder.decode(parts[5]), decoder.decode(parts[6]));
            }
            if (parts.length == 3 && parts[0].equals(PREFIX) && parts[1].equals(NONE)) {
                return new Unreachable(new String(decoder.decode(parts[2]), StandardCharsets.UTF_8));
            }
        } catch (IllegalArgumentException e) {
            // Said below.
        }
        throw new TransportException("[" + text + "] is not an address of the rdma transport");
    }
}
