package org.maniple.transport.tcp;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.zip.CRC32C;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Reads frames from a socket into the memory that waits for them. Small frames come together with their headers and are copied; of a large
 * one only the header is read ahead, and the payload goes where it belongs. Nothing is read while nobody expects anything, so that a peer
 * that sends too early is held up by its socket.
 */
final class IncomingFrames {

    /** Up to this size a copy is cheaper than another system call. */
    private static final int SMALL = 16 << 10;

    static final int STAGING = SMALL + FrameHeader.BYTES + Seal.MOST_BYTES;

    private static final int CHUNK = 256 << 10;

    private final DataSocket socket;
    private final Seal seal;
    private final Queue<TcpPending> expected = new ArrayDeque<>();
    private final MemorySegment staging;
    private final ByteBuffer stagingView;
    private final CRC32C crc = new CRC32C();
    private int from;
    private int to;
    private boolean inFrame;
    private long length;
    private long filled;
    private long sequence;
    private long read;

    IncomingFrames(DataSocket socket, Seal seal, MemorySegment staging, byte[] first) {
        this.socket = socket;
        this.seal = seal;
        this.staging = staging;
        this.stagingView = staging.asByteBuffer();
        MemorySegment.copy(MemorySegment.ofArray(first), 0, staging, 0, first.length);
        this.to = first.length;
    }

    void add(TcpPending frame) {
        expected.add(frame);
    }

    /** The frame that comes next. */
    @Nullable
    TcpPending first() {
        return expected.peek();
    }

    boolean isEmpty() {
        return expected.isEmpty();
    }

    /**
     * Reads what is there.
     *
     * @return the number of bytes read
     * @throws EOFException if the other end has closed
     * @throws BadFrameException if a frame is not what is expected
     */
    long receive() throws IOException {
        read = 0;
        TcpPending into = expected.peek();
        try {
            while (into != null && advance(into)) {
                into = expected.peek();
            }
        } catch (SSLException e) {
            throw new BadFrameException("sent bytes that TLS refuses (" + e.getMessage() + ") where " + into
                    + " was expected: they were corrupted or changed on the way");
        }
        return read;
    }

    /** Takes one step; false if there are no bytes for it yet. */
    private boolean advance(TcpPending into) throws IOException {
        if (!inFrame) {
            int ahead = into.segment().byteSize() <= SMALL ? STAGING : FrameHeader.BYTES;
            if (!stage(FrameHeader.BYTES, ahead)) {
                return false;
            }
            begin(into);
            return true;
        }
        if (filled < length) {
            return fill(into.segment());
        }
        if (!stage(seal.bytes(), STAGING)) {
            return false;
        }
        if (!seal.matches(staging, from)) {
            throw new BadFrameException("sent " + into + " " + seal.broken());
        }
        from += seal.bytes();
        inFrame = false;
        expected.remove();
        into.complete(length);
        return true;
    }

    /** Has some bytes in the staging memory, reading at most so many ahead. */
    private boolean stage(int needed, int ahead) throws IOException {
        while (to - from < needed) {
            if (from > 0) {
                MemorySegment.copy(staging, from, staging, 0, to - from);
                to -= from;
                from = 0;
            }
            int count = count(socket.read(staging, to, Math.max(ahead, needed) - to));
            if (count == 0) {
                return false;
            }
            to += count;
        }
        return true;
    }

    private int count(int bytes) throws IOException {
        if (bytes < 0) {
            throw new EOFException();
        }
        read += bytes;
        return bytes;
    }

    private void begin(TcpPending into) {
        if (!FrameHeader.intact(staging, stagingView, from, crc)) {
            throw new BadFrameException("sent bytes that are no frame, or a corrupted one, where " + into + " was expected");
        }
        if (FrameHeader.sequence(staging, from) != sequence) {
            throw new BadFrameException(
                    "sent frame " + FrameHeader.sequence(staging, from) + " where frame " + sequence + " was expected");
        }
        length = FrameHeader.bytes(staging, from);
        if (FrameHeader.tag(staging, from) != into.tag() || !into.fits(length)) {
            throw new BadFrameException(FrameHeader.tag(staging, from), length, into);
        }
        seal.begin(staging, from);
        from += FrameHeader.BYTES;
        sequence++;
        filled = 0;
        inFrame = true;
    }

    private boolean fill(MemorySegment target) throws IOException {
        int count = (int) Math.min(to - from, length - filled);
        if (count > 0) {
            MemorySegment.copy(staging, from, target, filled, count);
            from += count;
        } else {
            count = count(socket.read(target, filled, (int) Math.min(CHUNK, length - filled)));
        }
        seal.update(target, filled, count);
        filled += count;
        return count > 0;
    }
}
