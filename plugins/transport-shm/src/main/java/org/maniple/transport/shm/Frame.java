package org.maniple.transport.shm;

import java.lang.foreign.MemorySegment;
import org.maniple.api.transport.Tag;

/** A frame that is sent or expected. Used again after it has been awaited. */
final class Frame extends ShmPending {

    private ShmLink link;
    private MemorySegment segment = MemorySegment.NULL;
    private boolean sends;
    private boolean exact;
    private boolean done;
    private long tag;
    private long bytes;

    Frame(ShmLink link) {
        this.link = link;
    }

    void begin(ShmLink newLink, boolean sending, boolean exactSize, long newTag, MemorySegment memory) {
        link = newLink;
        sends = sending;
        exact = exactSize;
        tag = newTag;
        segment = memory;
        done = false;
    }

    void complete(long size) {
        bytes = size;
        done = true;
        segment = MemorySegment.NULL;
    }

    @Override
    ShmLink link() {
        return link;
    }

    long tag() {
        return tag;
    }

    MemorySegment segment() {
        return segment;
    }

    boolean fits(long size) {
        return exact ? size == segment.byteSize() : size >= 0 && size <= segment.byteSize();
    }

    @Override
    long expectedBytes() {
        return segment.byteSize();
    }

    @Override
    public boolean done() {
        return done;
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public String toString() {
        return Tag.describe(tag) + (sends || exact ? " with " : " with at most ") + segment.byteSize() + " bytes";
    }

    @Override
    String what() {
        return Tag.describe(tag);
    }

    @Override
    String missing() {
        return (sends ? "has not taken " : "has not sent ") + this;
    }
}
