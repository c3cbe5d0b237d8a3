package org.maniple.kernel.unit;

/** What a rank is told about its unit. No method is called while a lock of this package is held. */
public interface UnitEvents {

    /**
     * Something takes time.
     *
     * @param line who is waited for, how long, and what to do about it
     */
    void waiting(String line);

    /**
     * Weights are being loaded. Called on rank 0 only, by the thread that sends heartbeats, when the numbers have changed.
     *
     * @param doneBytes loaded by all ranks together
     * @param totalBytes to be loaded by all ranks together
     */
    void loading(long doneBytes, long totalBytes);

    /**
     * Another rank has sent something by {@link Membership#send}. Called in order for each rank, on a thread of the transport that must not be
     * blocked.
     *
     * @param fromRank who
     * @param content what, owned by the receiver
     */
    default void arrived(int fromRank, byte[] content) {}

    /**
     * The unit has failed. Called at most once, on a thread of its own, and never after {@link #stopped}.
     *
     * @param failure which rank and why
     */
    void failed(UnitFailure failure);

    /**
     * Another rank has asked the unit to end in order. Called at most once, on a thread of its own, and never after {@link #failed}.
     *
     * @param reason who, as a sentence
     */
    void stopped(String reason);
}
