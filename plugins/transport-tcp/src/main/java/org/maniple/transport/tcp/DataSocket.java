package org.maniple.transport.tcp;

import io.netty.channel.IoHandler;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** A connected socket that is read and written without blocking by one thread. */
interface DataSocket {

    /** Reads into native memory; returns the number of bytes, 0 if there are none yet, or -1 if the other end has closed. */
    int read(MemorySegment into, long offset, int length) throws IOException;

    /** Writes native memory; returns the number of bytes, possibly 0. */
    long write(Gather from) throws IOException;

    /** Has a poller wake up for this socket. */
    void register(IoHandler poller) throws Exception;

    /** What the next wait is to wake up for. */
    void interest(boolean reading, boolean writing);

    /** The network interface that it uses. */
    String interfaceName();

    /** How it is set up, in words. */
    String options();

    void close();
}
