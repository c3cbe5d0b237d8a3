package org.maniple.kernel.unit;

import java.time.Duration;
import java.util.List;
import org.maniple.api.transport.ControlLink;

/**
 * A rank's part in its unit: it joins, goes through the phases together with all others, and is watched meanwhile. Safe for use by several
 * threads; {@link #join} and {@link #reach} are called by one.
 *
 * <p>From the end of {@link #join} on, the loss of any rank ends the unit on all ranks: {@link UnitEvents#failed} is called once on each.
 */
public sealed interface Membership extends AutoCloseable permits UnitLeader, UnitFollower {

    /**
     * Waits until all ranks are there and agree.
     *
     * @return all ranks, in order
     * @throws UnitRefusedException if they do not agree
     * @throws UnitFailedException if some do not come in time; names them
     */
    List<Member> join();

    /**
     * Says that this rank has reached a phase, and waits until all have. Phases are reached in order, each once.
     *
     * @param phase the phase after the last one
     * @param limit after which rank 0 gives up and names who is missing
     * @throws UnitFailedException if the unit fails or is shut down meanwhile
     */
    void reach(Phase phase, Duration limit);

    /**
     * Says that this rank cannot go on, which ends the unit on all ranks. {@link UnitEvents#failed} is called here as well. Ignored if the
     * unit has ended already.
     *
     * @param reason what happened, to follow the rank in a sentence, for example {@code failed: out of memory}
     */
    void fail(String reason);

    /**
     * Says that data links have failed. Most often the rank at the other end is gone, and the control links tell so within a moment: this
     * waits for that, and only otherwise ends the unit as {@link #fail} does, so that the rank that is gone gets the blame.
     *
     * @param reason what happened, to follow this rank in a sentence, for example {@code cannot reach rank 2: no route to host}
     */
    void lostContact(String reason);

    /**
     * Sends something that is not about the life of the unit to another rank, where {@link UnitEvents#arrived} is called. Does not wait. What is
     * sent to one rank arrives in order. Ignored before the end of {@link #join} and once the unit has ended.
     *
     * @param rank 0, or on rank 0 any other
     * @param content at most {@link #MAX_PARCEL} bytes, not used after the call
     */
    void send(int rank, byte[] content);

    /** The most bytes that {@link #send} takes. */
    int MAX_PARCEL = ControlLink.MAX_MESSAGE - 1;

    /**
     * Leaves the unit. If this rank is {@link Phase#READY} and the unit has not failed, all other ranks are told that it ends in order. A rank
     * that leaves earlier, for example because an exception ends it, lets the unit fail; call {@link #fail} before to say why.
     */
    @Override
    void close();
}
