package org.maniple.transport.tcp;

import java.lang.foreign.MemorySegment;
import org.maniple.api.transport.Tag;
import org.maniple.api.transport.Wire;

/** A frame that is sent or expected. Used again after it has been awaited. */
final class TcpPending implements Wire.Pending {

    private DataLink link;
    private MemorySegment segment = MemorySegment.NULL;
    private boolean sends;
    private boolean exact;
    private boolean done;
    private long tag;
    private long bytes;

    TcpPending(DataLink link) {
        this.link = link;
    }

    void begin(DataLink newLink, boolean sending, boolean exactSize, long newTag, MemorySegment memory) {
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

    DataLink link() {
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

    /** What has not happened in time. */
    String missing() {
        return link + " " + owed();
    }

    /** The same without who. */
    String owed() {
        return (sends ? "has not taken " : "has not sent ") + this;
    }
}
