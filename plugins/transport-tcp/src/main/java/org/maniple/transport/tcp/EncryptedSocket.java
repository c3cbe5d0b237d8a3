package org.maniple.transport.tcp;

import io.netty.channel.IoHandler;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;

/**
 * A socket whose bytes are TLS records. A record is taken from what is to be written when there is room for it, and counts as written once the
 * socket has taken all of it. The JDK's TLS makes small objects for every record.
 */
final class EncryptedSocket implements DataSocket {

    /** Records that are written and read by one system call, if there are so many. */
    private static final int RECORDS = 4;

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final DataSocket socket;
    private final SSLEngine engine;
    private final int record;
    private final MemorySegment outgoing;
    private final ByteBuffer outgoingView;
    private final MemorySegment incoming;
    private final ByteBuffer incomingView;
    private final MemorySegment decrypted;
    private final ByteBuffer decryptedView;
    private final Gather gather = new Gather();
    private final ByteBuffer[] sources = {NOTHING, NOTHING, NOTHING};
    /** Of the records that wait to be written: how much of them is, and what was put into them. */
    private long written;
    private long encrypted;
    private long covered;
    /** What has come, not decrypted; and decrypted, not taken. */
    private int from;
    private int to;
    private int taken;
    private int ready;
    private boolean ended;

    /**
     * Goes on after the handshake.
     *
     * @param socket carries the records
     * @param engine for use by the thread that uses this socket
     * @param first what has come of it already
     */
    EncryptedSocket(DataSocket socket, SSLEngine engine, byte[] first) {
        this.socket = socket;
        this.engine = engine;
        this.record = engine.getSession().getPacketBufferSize();
        Arena arena = Arena.ofAuto();
        this.outgoing = arena.allocate((long) RECORDS * record);
        this.outgoingView = outgoing.asByteBuffer();
        this.incoming = arena.allocate(Math.max((long) RECORDS * record, first.length));
        this.incomingView = incoming.asByteBuffer();
        this.decrypted = arena.allocate(engine.getSession().getApplicationBufferSize());
        this.decryptedView = decrypted.asByteBuffer();
        MemorySegment.copy(MemorySegment.ofArray(first), 0, incoming, 0, first.length);
        this.to = first.length;
    }

    @Override
    public int read(MemorySegment into, long offset, int length) throws IOException {
        int count = 0;
        while (count < length) {
            int some = Math.min(ready - taken, length - count);
            if (some > 0) {
                MemorySegment.copy(decrypted, taken, into, offset + count, some);
                taken += some;
                count += some;
            } else if (!decrypt()) {
                return count == 0 && ended ? -1 : count;
            }
        }
        return count;
    }

    /** Has the next bytes ready; false if there are none yet, or none any more. */
    private boolean decrypt() throws IOException {
        taken = 0;
        ready = 0;
        while (ready == 0 && !ended) {
            SSLEngineResult result = engine.unwrap(incomingView.limit(to).position(from), decryptedView.clear());
            from = incomingView.position();
            ready = decryptedView.position();
            answer();
            switch (result.getStatus()) {
                case CLOSED -> ended = true;
                case BUFFER_UNDERFLOW -> {
                    if (!fill()) {
                        return false;
                    }
                }
                case BUFFER_OVERFLOW -> throw new IOException("TLS has announced smaller records than it makes");
                case OK -> {
                }
            }
        }
        return ready > 0;
    }

    private boolean fill() throws IOException {
        if (from > 0) {
            MemorySegment.copy(incoming, from, incoming, 0, to - from);
            to -= from;
            from = 0;
        }
        int count = socket.read(incoming, to, (int) incoming.byteSize() - to);
        ended = count < 0;
        to += Math.max(0, count);
        return count > 0;
    }

    /** What TLS itself has to say after something was read, such as that it takes new keys, too. */
    private void answer() throws IOException {
        while (engine.getHandshakeStatus() == SSLEngineResult.HandshakeStatus.NEED_TASK) {
            engine.getDelegatedTask().run();
        }
        while (engine.getHandshakeStatus() == SSLEngineResult.HandshakeStatus.NEED_WRAP && !engine.isOutboundDone() && room()) {
            encrypt(0);
        }
        flush();
    }

    private boolean room() {
        return outgoing.byteSize() - encrypted >= record;
    }

    /** Adds a record with what the sources have, as far as it goes. */
    private void encrypt(int count) throws IOException {
        SSLEngineResult result = engine.wrap(sources, 0, count,
                outgoingView.limit(outgoingView.capacity()).position((int) encrypted));
        if (result.getStatus() == SSLEngineResult.Status.CLOSED) {
            throw new IOException("TLS has ended");
        }
        encrypted += result.bytesProduced();
        covered += result.bytesConsumed();
    }

    /** Whether nothing waits to be written any more. */
    private boolean flush() throws IOException {
        if (written < encrypted) {
            gather.clear();
            gather.add(outgoing, written, encrypted - written);
            written += socket.write(gather);
        }
        if (written < encrypted) {
            return false;
        }
        written = 0;
        encrypted = 0;
        return true;
    }

    @Override
    public long write(Gather plain) throws IOException {
        long all = 0;
        while (flush()) {
            all += covered;
            covered = 0;
            if (all == plain.bytes()) {
                return all;
            }
            int count = remaining(plain, all);
            while (covered < plain.bytes() - all && room()) {
                encrypt(count);
            }
        }
        return all;
    }

    /** Has the sources be what is left of something. */
    private int remaining(Gather plain, long done) {
        long skipped = done;
        int count = 0;
        for (int i = 0; i < plain.count(); i++) {
            long skip = Math.min(skipped, plain.length(i));
            skipped -= skip;
            if (skip < plain.length(i)) {
                sources[count] = plain.slice(i).asSlice(skip).asByteBuffer();
                count++;
            }
        }
        return count;
    }

    @Override
    public void register(IoHandler poller) throws Exception {
        socket.register(poller);
    }

    @Override
    public void interest(boolean reading, boolean writing) {
        socket.interest(reading, writing || written < encrypted);
    }

    @Override
    public String interfaceName() {
        return socket.interfaceName();
    }

    @Override
    public String options() {
        return "TLS 1.3 with " + engine.getSession().getCipherSuite() + ", " + socket.options();
    }

    @Override
    public void close() {
        socket.close();
    }
}
