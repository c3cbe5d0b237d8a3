package org.maniple.serve.openai;

import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;

/** A key that clients may present, as its hash, and how many requests are answered under it. Safe for use by several threads. */
final class ApiKey {

    private final byte[] hash;
    private final OptionalInt most;
    private final AtomicInteger running;

    /** @param most requests at the same time at most; empty: any number */
    ApiKey(byte[] hash, OptionalInt most) {
        this(hash, most, new AtomicInteger());
    }

    private ApiKey(byte[] hash, OptionalInt most, AtomicInteger running) {
        this.hash = hash.clone();
        this.most = most;
        this.running = running;
    }

    /** The same with what runs under an earlier one. */
    ApiKey continuing(ApiKey earlier) {
        return new ApiKey(hash, most, earlier.running);
    }

    /** Takes the same time wherever the keys differ. */
    boolean has(byte[] otherHash) {
        return MessageDigest.isEqual(hash, otherHash);
    }

    boolean isSame(ApiKey other) {
        return has(other.hash);
    }

    /** Tells keys apart without telling them. */
    String name() {
        return HexFormat.of().formatHex(hash);
    }

    /**
     * A request begins.
     *
     * @throws ApiException 429 if too many run already; then it has not begun
     */
    void enter() {
        int now = running.incrementAndGet();
        if (most.isPresent() && now > most.getAsInt()) {
            running.decrementAndGet();
            throw ApiException.tooMany(1, "This key has " + most.getAsInt()
                    + " requests running, as many as it may have at the same time; try again when one of them has ended.");
        }
    }

    void leave() {
        running.decrementAndGet();
    }
}
