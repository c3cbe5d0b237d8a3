package org.maniple.transport.tcp;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** Writes frames to a socket, in order, as far as it takes them. Header, payload and seal leave in one system call if they can. */
final class OutgoingFrames {

    /** Of a payload at a time: it is still in the cache when it is copied by the kernel after its seal has been computed. */
    private static final long CHUNK = 256 << 10;

    private final DataSocket socket;
    private final Seal seal;
    private final Queue<TcpPending> frames = new ArrayDeque<>();
    private final MemorySegment envelope;
    private final ByteBuffer envelopeView;
    private final Gather gather = new Gather();
    private final CRC32C crc = new CRC32C();
    /** The first frame has a header; nothing of it may have been written yet. */
    private boolean begun;
    /** The whole payload is behind the seal. */
    private boolean sealed;
    private long position;
    private long checked;
    private long sequence;

    OutgoingFrames(DataSocket socket, Seal seal, MemorySegment envelope) {
        this.socket = socket;
        this.seal = seal;
        this.envelope = envelope;
        this.envelopeView = envelope.asByteBuffer();
    }

    boolean add(TcpPending frame) {
        frames.add(frame);
        return frames.size() == 1;
    }

    /** The frame that goes next. */
    @Nullable
    TcpPending first() {
        return frames.peek();
    }

    boolean isEmpty() {
        return frames.isEmpty();
    }

    /** Writes what can be written; returns the number of bytes. */
    long flush() throws IOException {
        long all = 0;
        TcpPending frame = frames.peek();
        while (frame != null) {
            if (!begun) {
                begin(frame);
            }
            collect(frame);
            long written = socket.write(gather);
            all += written;
            position += written;
            if (position == FrameHeader.BYTES + frame.segment().byteSize() + seal.bytes()) {
                frames.remove();
                frame.complete(frame.segment().byteSize());
                begun = false;
                frame = frames.peek();
            } else if (written < gather.bytes()) {
                return all;
            }
        }
        return all;
    }

    private void begin(TcpPending frame) {
        FrameHeader.write(envelope, envelopeView, crc, frame.tag(), frame.segment().byteSize(), sequence++);
        seal.begin(envelope, 0);
        checked = 0;
        position = 0;
        begun = true;
        sealed = false;
    }

    private void collect(TcpPending frame) {
        MemorySegment payload = frame.segment();
        long at = Math.clamp(position - FrameHeader.BYTES, 0, payload.byteSize());
        long end = Math.min(payload.byteSize(), at + CHUNK);
        if (end > checked) {
            seal.update(payload, checked, end - checked);
            checked = end;
        }
        gather.clear();
        gather.add(envelope, position, Math.max(0, FrameHeader.BYTES - position));
        gather.add(payload, at, end - at);
        if (end == payload.byteSize()) {
            seal();
            long sent = Math.max(0, position - FrameHeader.BYTES - payload.byteSize());
            gather.add(envelope, FrameHeader.BYTES + sent, seal.bytes() - sent);
        }
    }

    private void seal() {
        if (!sealed) {
            sealed = true;
            seal.write(envelope, FrameHeader.BYTES);
        }
    }
}
