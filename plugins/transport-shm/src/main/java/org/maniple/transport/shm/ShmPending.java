package org.maniple.transport.shm;

import org.maniple.api.transport.Wire;

/** Something that a rank waits for. */
abstract sealed class ShmPending implements Wire.Pending permits Frame, Arrival {

    /** Who has to do something. */
    abstract ShmLink link();

    /** What has not happened, for messages. */
    abstract String missing();

    /** What it belongs to, for messages. */
    abstract String what();

    /** How much it brings. */
    abstract long expectedBytes();
}
