package org.maniple.transport.tcp;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import java.util.Arrays;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLEngine;
import org.jspecify.annotations.Nullable;
import org.maniple.api.transport.TransportException;

/**
 * Reads messages of fixed sizes until both ends have proved who they are. Nothing is allocated for what the other end says but these
 * sizes. Reading stops when the handshake ends; bytes that came along are handed on.
 */
@SuppressWarnings("FutureReturnValueIgnored") // nobody waits for a connection to close; a write that fails closes it
abstract class Handshake extends ChannelInboundHandlerAdapter {

    /** The longest time from the connection to the verdict; and from then on until both ends have keys. */
    static final long LIMIT_MILLIS = 5_000;

    private static final byte[] NOTHING = {};

    private byte[] message = NOTHING;
    private int filled;
    private byte[] rest = NOTHING;
    private boolean over;
    private boolean welcomed;
    private @Nullable Future<?> timer;

    /** Expects a message. */
    final void expect(int bytes) {
        message = new byte[bytes];
        filled = 0;
    }

    /** How the other end is called in messages. */
    abstract String peer();

    /** What the connection is for. */
    abstract int purpose();

    /** The expected message is there. */
    abstract void received(ChannelHandlerContext context, byte[] bytes);

    /** Some bytes of a message are there; so that what is clearly something else is not waited for. */
    void begun(ChannelHandlerContext context, byte[] bytes, int count) {}

    /** The connection is to be used. */
    abstract void succeeded(Channel channel, Protection protection, byte[] rest);

    /** What is to protect the connection that is to be used. Called once, when both ends have proved who they are. */
    abstract Protection protection();

    /** The connection has come to nothing, and is closed. */
    abstract void failed(TransportException reason);

    @Override
    public void channelActive(ChannelHandlerContext context) {
        timer = context.executor().schedule(
                () -> fail(context, new TransportException(peer() + " did not complete the handshake within " + LIMIT_MILLIS
                        + " ms; is it a rank of this version?")),
                LIMIT_MILLIS, TimeUnit.MILLISECONDS);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object data) {
        ByteBuf in = (ByteBuf) data;
        try {
            while (in.isReadable() && !over) {
                int count = Math.min(in.readableBytes(), message.length - filled);
                in.readBytes(message, filled, count);
                filled += count;
                begun(context, message, filled);
                if (filled == message.length && !over) {
                    filled = 0;
                    received(context, message);
                }
            }
            rest = new byte[in.readableBytes()];
            in.readBytes(rest);
        } finally {
            in.release();
        }
        if (welcomed) {
            hand(context);
        }
    }

    /** Ends the handshake; nothing more is read but what has come with its last message. */
    final void welcome(ChannelHandlerContext context) {
        end();
        welcomed = true;
        context.channel().config().setAutoRead(false);
    }

    private void hand(ChannelHandlerContext context) {
        Channel channel = context.channel();
        ChannelPipeline pipeline = context.pipeline();
        pipeline.remove(this);
        Protection protection = protection();
        if (protection instanceof Protection.Encrypted(SSLEngine engine)) {
            var encryption = new Encryption(engine, new Encryption.Outcome() {
                @Override
                public void established(Encryption encryption) {
                    encrypted(channel, protection, encryption);
                }

                @Override
                public void failed(String reason) {
                    Handshake.this.failed(new TransportException(peer() + " " + reason));
                    channel.close();
                }
            });
            pipeline.addLast(encryption);
            encryption.begin(rest);
        } else {
            pass(channel, protection, rest);
        }
    }

    private void encrypted(Channel channel, Protection protection, Encryption encryption) {
        channel.config().setAutoRead(false);
        if (purpose() == Preface.DATA) {
            channel.pipeline().remove(encryption);
            pass(channel, protection, encryption.unread());
        } else {
            pass(channel, protection, encryption.decrypted());
        }
    }

    private void pass(Channel channel, Protection protection, byte[] unread) {
        if (purpose() == Preface.DATA) {
            // Before the event loop reads anything that belongs to the wire.
            channel.deregister().addListener(done -> succeeded(channel, protection, unread));
        } else {
            succeeded(channel, protection, unread);
        }
    }

    final void fail(ChannelHandlerContext context, TransportException reason) {
        if (!over) {
            end();
            failed(reason);
            context.close();
        }
    }

    /** Ends the handshake after a last message. */
    final void refuse(ChannelHandlerContext context, byte[] answer, TransportException reason) {
        if (!over) {
            end();
            failed(reason);
            context.writeAndFlush(Unpooled.wrappedBuffer(answer)).addListener(written -> context.close());
        }
    }

    /** The timer goes too: it would keep the memory of many short connections until it fires. */
    private void end() {
        over = true;
        Future<?> running = timer;
        if (running != null) {
            running.cancel(false);
        }
    }

    static void send(ChannelHandlerContext context, byte[] message) {
        context.writeAndFlush(Unpooled.wrappedBuffer(message));
    }

    static byte[] first(byte[] bytes, int count) {
        return Arrays.copyOf(bytes, count);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        fail(context, new TransportException(peer() + " closed the connection during the handshake"));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        fail(context, new TransportException(peer() + " cannot be talked to: " + cause.getMessage(), cause));
    }
}
