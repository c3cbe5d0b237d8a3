package org.maniple.transport.tcp;

import java.lang.foreign.MemorySegment;

/** What ends the frames of one direction of a link, so that changed ones are noticed. For use by one thread. */
sealed interface Seal permits Checksum, Code {

    /** The longest. */
    int MOST_BYTES = Code.BYTES;

    /** Its size. */
    int bytes();

    /** Begins a frame. */
    void begin(MemorySegment memory, long header);

    /** Some of its payload. */
    void update(MemorySegment payload, long offset, long bytes);

    /** Ends the frame by writing the seal. */
    void write(MemorySegment to, long offset);

    /** Ends the frame; whether this is the seal for what has come. */
    boolean matches(MemorySegment memory, long offset);

    /** What may have happened if it is not; goes on after the frame's name. */
    String broken();
}
