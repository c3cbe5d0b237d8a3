package org.maniple.kernel.local;

import java.lang.foreign.MemorySegment;
import org.maniple.api.transport.Tag;
import org.maniple.api.transport.Wire;

/** A frame that one rank sends or expects. Used again after it has been awaited. */
final class LocalPending implements Wire.Pending {

    private MemorySegment segment = MemorySegment.NULL;
    private LocalLink link;
    private boolean sends;
    private boolean exact;
    private long tag;
    private long bytes;
    /** Written last by the receiver, who may be another thread. */
    private volatile boolean done;

    LocalPending(LocalLink link) {
        this.link = link;
    }

    LocalPending begin(LocalLink newLink, boolean sending, boolean exactSize, long newTag, MemorySegment memory) {
        link = newLink;
        sends = sending;
        exact = exactSize;
        tag = newTag;
        segment = memory;
        done = false;
        return this;
    }

    void end() {
        segment = MemorySegment.NULL;
    }

    void complete(long size) {
        bytes = size;
        done = true;
    }

    LocalLink link() {
        return link;
    }

    long tag() {
        return tag;
    }

    MemorySegment segment() {
        return segment;
    }

    boolean fits(long size) {
        return exact ? size == segment.byteSize() : size <= segment.byteSize();
    }

    @Override
    public boolean done() {
        return done;
    }

    @Override
    public long bytes() {
        return bytes;
    }

    /** What a receiver expects, or a sender has. */
    @Override
    public String toString() {
        return Tag.describe(tag) + (sends || exact ? " with " : " with at most ") + segment.byteSize() + " bytes";
    }

    /** What has not happened in time. */
    String missing() {
        return link + (sends ? " has not taken " : " has not sent ") + this;
    }
}
