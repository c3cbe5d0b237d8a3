package org.maniple.transport.tcp;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * TLS on a connection that an event loop serves: its handshake, and on control links what follows. Only ranks that have proved that they know
 * the unit's secret come here; what strangers send is never given to TLS.
 */
@SuppressWarnings("FutureReturnValueIgnored") // nobody waits for a connection to close; a write that fails closes it
final class Encryption extends ChannelDuplexHandler {

    /** The longest time until both ends have keys: the first TLS of a process has much to load. */
    private static final long LIMIT_MILLIS = 20_000;

    private static final byte[] CONFIRMATION = {1};
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    /** How the handshake ends. Called on the event loop. */
    interface Outcome {
        void established(Encryption encryption);

        /** Goes on after the peer's name. */
        void failed(String reason);
    }

    private final SSLEngine engine;
    private final Outcome outcome;
    private final ByteBuffer plain;
    private final ByteBuffer sealed;
    /** What has come and is not decrypted; always ready to be read. */
    private ByteBuffer received = NOTHING;
    private boolean established;
    private boolean over;
    private @Nullable ChannelHandlerContext context;
    private @Nullable Future<?> timer;

    Encryption(SSLEngine engine, Outcome outcome) {
        this.engine = engine;
        this.outcome = outcome;
        this.plain = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize());
        this.sealed = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
    }

    @Override
    public void handlerAdded(ChannelHandlerContext newContext) {
        context = newContext;
    }

    /**
     * Begins the handshake, once this is in a pipeline.
     *
     * @param first what has come of it already
     */
    void begin(byte[] first) {
        ChannelHandlerContext own = context;
        if (own == null) {
            throw new IllegalStateException("a handshake needs a connection");
        }
        timer = own.executor().schedule(() -> fail("did not complete the TLS handshake within " + LIMIT_MILLIS + " ms"),
                LIMIT_MILLIS,
                TimeUnit.MILLISECONDS);
        own.channel().config().setAutoRead(true);
        received = ByteBuffer.wrap(first);
        try {
            engine.beginHandshake();
            shakeHands(own);
        } catch (SSLException e) {
            fail("cannot be talked to by TLS: " + e.getMessage());
        }
    }

    /** What has come after the handshake, as it came. */
    byte[] unread() {
        byte[] bytes = new byte[received.remaining()];
        received.get(bytes);
        return bytes;
    }

    /** What has come after the handshake, as it was sent; the end of it may still be missing. */
    byte[] decrypted() {
        var bytes = new ByteArrayOutputStream();
        try {
            decrypt(piece -> {
                byte[] part = new byte[piece.remaining()];
                piece.get(part);
                bytes.writeBytes(part);
            });
        } catch (SSLException e) {
            // The next that comes is not understood either, and says so.
            received = NOTHING;
        }
        return bytes.toByteArray();
    }

    @Override
    public void channelRead(ChannelHandlerContext own, Object data) throws SSLException {
        append((ByteBuf) data);
        if (established) {
            decrypt(piece -> own.fireChannelRead(Unpooled.copiedBuffer(piece)));
            answer(own);
        } else if (!over) {
            try {
                shakeHands(own);
            } catch (SSLException e) {
                // So that the other end hears why.
                answer(own);
                fail("cannot be talked to by TLS: " + e.getMessage());
            }
        }
    }

    private void append(ByteBuf in) {
        try {
            ByteBuffer more = ByteBuffer.allocate(received.remaining() + in.readableBytes());
            more.put(received);
            in.readBytes(more);
            received = more.flip();
        } finally {
            in.release();
        }
    }

    private void shakeHands(ChannelHandlerContext own) throws SSLException {
        while (!established) {
            switch (engine.getHandshakeStatus()) {
                case NEED_TASK -> runTasks();
                case NEED_WRAP -> wrap(own, NOTHING.clear());
                case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> {
                    if (!unwrap()) {
                        return;
                    }
                }
                case FINISHED, NOT_HANDSHAKING -> {
                    if (!confirm(own)) {
                        return;
                    }
                }
            }
        }
    }

    /** Whether something has come. */
    private boolean unwrap() throws SSLException {
        SSLEngineResult result = engine.unwrap(received, plain.clear());
        if (result.getStatus() == SSLEngineResult.Status.CLOSED) {
            throw new SSLException("it has ended the handshake");
        }
        return result.getStatus() != SSLEngineResult.Status.BUFFER_UNDERFLOW;
    }

    /**
     * The end that dialled is through first. It waits for a byte from the other one, so that it knows that its certificate has been accepted, and has
     * read all that belongs to the handshake.
     */
    private boolean confirm(ChannelHandlerContext own) throws SSLException {
        if (!engine.getUseClientMode()) {
            wrap(own, ByteBuffer.wrap(CONFIRMATION));
            establish();
        } else if (!unwrap()) {
            return false;
        } else if (plain.position() > 0) {
            establish();
        }
        return true;
    }

    private void establish() {
        established = true;
        end();
        outcome.established(this);
    }

    private void runTasks() {
        for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
            task.run();
        }
    }

    private void wrap(ChannelHandlerContext own, ByteBuffer said) throws SSLException {
        engine.wrap(said, sealed.clear());
        own.writeAndFlush(Unpooled.copiedBuffer(sealed.flip()));
    }

    /** What TLS itself has to say after something was read. */
    private void answer(ChannelHandlerContext own) throws SSLException {
        while (engine.getHandshakeStatus() == SSLEngineResult.HandshakeStatus.NEED_TASK
                || engine.getHandshakeStatus() == SSLEngineResult.HandshakeStatus.NEED_WRAP) {
            runTasks();
            wrap(own, NOTHING.clear());
            if (engine.isOutboundDone()) {
                return;
            }
        }
    }

    private interface Taker {
        void take(ByteBuffer piece);
    }

    private void decrypt(Taker taker) throws SSLException {
        while (received.hasRemaining()) {
            SSLEngineResult result = engine.unwrap(received, plain.clear());
            if (plain.flip().hasRemaining()) {
                taker.take(plain);
            }
            if (result.getStatus() != SSLEngineResult.Status.OK) {
                return;
            }
            runTasks();
        }
    }

    @Override
    public void write(ChannelHandlerContext own, Object data, ChannelPromise promise) throws SSLException {
        ByteBuf in = (ByteBuf) data;
        ByteBuf out = own.alloc().buffer(in.readableBytes() + sealed.capacity());
        try {
            ByteBuffer source = in.nioBuffer();
            do {
                engine.wrap(source, sealed.clear());
                out.writeBytes(sealed.flip());
            } while (source.hasRemaining());
        } catch (SSLException e) {
            out.release();
            throw e;
        } finally {
            in.release();
        }
        own.write(out, promise);
    }

    private void fail(String reason) {
        if (!over) {
            end();
            outcome.failed(reason);
        }
    }

    private void end() {
        over = true;
        Future<?> running = timer;
        if (running != null) {
            running.cancel(false);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext own) {
        fail("closed the connection during the TLS handshake");
        own.fireChannelInactive();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext own, Throwable cause) {
        fail("cannot be talked to: " + cause.getMessage());
        own.fireExceptionCaught(cause);
    }
}
