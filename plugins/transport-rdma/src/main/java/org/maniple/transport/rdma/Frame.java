package org.maniple.transport.rdma;

import java.lang.foreign.MemorySegment;
import org.maniple.api.transport.Tag;
import org.maniple.api.transport.Wire;

/** A frame that is sent or expected. Used again after it has been awaited. */
final class Frame implements Wire.Pending {

    private RdmaLink link;
    private MemorySegment segment = MemorySegment.NULL;
    private boolean sends;
    private boolean exact;
    private boolean done;
    private long tag;
    private long bytes;

    Frame(RdmaLink link) {
        this.link = link;
    }

    void begin(RdmaLink newLink, boolean sending, boolean exactSize, long newTag, MemorySegment memory) {
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

    RdmaLink link() {
        return link;
    }

    long tag() {
        return tag;
    }

    MemorySegment segment() {
        return segment;
    }

    /** Whether its size is known before it comes. */
    boolean exact() {
        return exact;
    }

    boolean fits(long size) {
        return exact ? size == segment.byteSize() : size >= 0 && size <= segment.byteSize();
    }

    @Override
    public boolean done() {
        return done;
    }

    @Override
    public long bytes() {
        return bytes;
    }

    /** What has not happened. */
    String missing() {
        return (sends ? "has not taken " : "has not sent ") + this;
    }

    @Override
    public String toString() {
        return Tag.describe(tag) + (sends || exact ? " with " : " with at most ") + segment.byteSize() + " bytes";
    }
}
