package org.maniple.transport.tcp;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.maniple.api.transport.ControlLink;

/** A control link on the endpoint's event loop, on which its listener is called. */
@SuppressWarnings("FutureReturnValueIgnored") // nobody waits for a connection to close; a write that fails closes it
final class TcpControlLink implements ControlLink {

    /** A peer that lets this much pile up does not read any more. */
    private static final long MAX_UNSENT = 8L * MAX_MESSAGE;

    private final Channel channel;
    private final byte[] rest;
    private final int peer;
    private final String peerAddress;
    private final AtomicLong unsent = new AtomicLong();
    /** Written by who sends, read on the event loop, on which what follows is used only. */
    private final ControlFrames frames;
    private final List<byte[]> whole = new ArrayList<>();
    private @Nullable Listener listener;
    private @Nullable String reason;
    private boolean told;

    TcpControlLink(Greeted connection, int peer, String peerAddress) {
        this.channel = connection.channel();
        this.frames = new ControlFrames(connection.protection());
        this.rest = connection.rest();
        this.peer = peer;
        this.peerAddress = peerAddress;
    }

    /** To be called on the event loop, before anything is read. */
    void attach() {
        channel.pipeline().addLast(new Reader());
        receive(Unpooled.wrappedBuffer(rest));
        if (!channel.isActive()) {
            end("closed the connection");
        }
    }

    @Override
    public int peer() {
        return peer;
    }

    @Override
    public String peerAddress() {
        return peerAddress;
    }

    @Override
    public void start(Listener newListener) {
        try {
            channel.eventLoop().execute(() -> listen(newListener));
        } catch (RejectedExecutionException e) {
            // The endpoint is closed, and nobody left to be told.
        }
    }

    private void listen(Listener newListener) {
        if (listener != null) {
            throw new IllegalStateException("the control link with rank " + peer + " has a listener already");
        }
        listener = newListener;
        deliver();
        String closed = reason;
        if (closed == null) {
            channel.config().setAutoRead(true);
        } else {
            tell(newListener, closed);
        }
    }

    /** Without a listener, messages wait: what a peer sends before it closes is read at once. */
    private void receive(ByteBuf in) {
        String malformed = null;
        try {
            frames.read(in, whole::add);
        } catch (IllegalArgumentException e) {
            malformed = e.getMessage();
        } finally {
            in.release();
        }
        deliver();
        if (malformed != null) {
            end(malformed);
            channel.close();
        }
    }

    private void deliver() {
        Listener receiver = listener;
        if (receiver != null) {
            whole.forEach(receiver::message);
            whole.clear();
        }
    }

    private void end(@Nullable String what) {
        if (reason == null) {
            reason = Addresses.describe(peer, peerAddress) + " " + what;
        }
        Listener receiver = listener;
        if (receiver != null) {
            tell(receiver, reason);
        }
    }

    private void tell(Listener receiver, String why) {
        if (!told) {
            told = true;
            receiver.closed(why);
        }
    }

    @Override
    public synchronized void send(byte[] message) {
        if (message.length > MAX_MESSAGE) {
            throw new IllegalArgumentException(
                    "a control message for rank " + peer + " has " + message.length + " bytes, more than " + MAX_MESSAGE);
        }
        if (!channel.isActive()) {
            return;
        }
        int bytes = frames.bytes(message);
        if (unsent.addAndGet(bytes) > MAX_UNSENT) {
            close("does not read what is sent to it");
            return;
        }
        ByteBuf out = channel.alloc().ioBuffer(bytes);
        frames.write(out, message);
        try {
            // Always through the queue: what the event loop wrote by itself would overtake what other threads have queued before.
            channel.eventLoop().execute(() -> channel.writeAndFlush(out).addListener(done -> unsent.addAndGet(-bytes)));
        } catch (RejectedExecutionException e) {
            // The endpoint is closed, and with it all its links.
            out.release();
        }
    }

    @Override
    public void close() {
        try {
            // After what was sent before, since writes go through the same queue.
            channel.eventLoop().execute(() -> {
                if (reason == null) {
                    reason = "closed by this rank";
                }
                channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(done -> channel.close());
            });
        } catch (RejectedExecutionException e) {
            // The endpoint is closed, and with it all its links.
        }
    }

    private void close(String what) {
        channel.eventLoop().execute(() -> {
            end(what);
            channel.close();
        });
    }

    /** What comes from the socket. */
    private final class Reader extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext context, Object data) {
            if (reason == null) {
                receive((ByteBuf) data);
            } else {
                ((ByteBuf) data).release();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            end("closed the connection");
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            end(switch (cause) {
                case SSLException refused -> "sent bytes that TLS refuses (" + refused.getMessage()
                        + "): they were corrupted or changed on the way";
                case SilenceWatch.SilentHostException silent -> "is cut off: " + silent.getMessage();
                case IOException lost -> "lost the connection: " + lost.getMessage();
                default -> "was cut off after " + cause;
            });
            context.close();
        }
    }
}
