package org.maniple.moe.ep;

/** Which way messages with tokens go. For use by one thread; allocates nothing once it is warm. */
interface Delivery {

    /**
     * Brings messages to where they are for. All ranks call it in every step.
     *
     * @param sends the messages, by the rank that each is for; that for this rank stays where it is
     * @param sendBytes their sizes, 0 where there is none; may be changed to a negative number there
     * @param receives gets the messages for this rank, by the rank that each is from
     * @param receiveBytes gets their sizes; nothing positive where there is none
     * @param largest the most tokens that any rank has in this step
     * @return bytes that this rank has sent
     */
    long bring(Room sends, long[] sendBytes, Room receives, long[] receiveBytes, int largest);
}
