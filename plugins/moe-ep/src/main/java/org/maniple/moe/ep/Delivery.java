package org.maniple.moe.ep;

/** Which way messages with tokens go. For use by one thread; allocates nothing once it is warm. */
interface Delivery {

    /**
     * Begins to bring messages to where they are for. All ranks call it in every step. Nothing of what it is given is to be touched until it has ended.
     *
     * @param sends the messages, by the rank that each is for; that for this rank stays where it is
     * @param sendBytes their sizes, 0 where there is none; may be changed to a negative number there
     * @param receives gets the messages for this rank, by the rank that each is from
     * @param receiveBytes gets their sizes by the end; nothing positive where there is none
     * @param largest the most tokens that any rank has in this step
     * @return bytes that this rank has sent
     */
    long begin(Room sends, long[] sendBytes, Room receives, long[] receiveBytes, int largest);

    /** Waits until the messages that were begun last are there. */
    void end();
}
