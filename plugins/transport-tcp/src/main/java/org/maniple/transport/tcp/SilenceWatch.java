package org.maniple.transport.tcp;

import io.netty.channel.ChannelException;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.epoll.EpollTcpInfo;
import java.io.IOException;
import java.io.Serial;
import java.util.concurrent.TimeUnit;

/**
 * Notices that nothing of what is sent on a connection is acknowledged any more: the network is down, or the other end's host. The other end's kernel
 * acknowledges even while its process gets no processor, so a busy machine is not taken for a broken one. The own kernel is asked rather than told to
 * end the connection by itself ({@code TCP_USER_TIMEOUT}): its timers are late by up to a second where the own network card has no cable.
 *
 * <p>Runs on the event loop of the connection. Only for connections on which something is sent all the time, and not for data: a rank that computes
 * takes none for a while.
 */
@SuppressWarnings("FutureReturnValueIgnored") // it ends with the connection
final class SilenceWatch extends ChannelOutboundHandlerAdapter {

    /** Linux sends again after about 0.2 s and 0.6 s: a lost packet is not the end. */
    static final long LIMIT_MILLIS = 700;

    private static final long EVERY_MILLIS = 100;
    /** Between two looks; then this process has stood still itself, and begins again. */
    private static final long LONGEST_GAP_MILLIS = 400;
    /** The kernel's clock has large ticks. */
    private static final long TICK_MILLIS = 10;

    private final EpollSocketChannel channel;
    private final EpollTcpInfo info = new EpollTcpInfo();
    private long lastLook = now();
    private long lastSent;
    /** When the first of what has not been acknowledged was sent, if there is anything. */
    private long waitingSince;
    private boolean waiting;

    private SilenceWatch(EpollSocketChannel channel) {
        this.channel = channel;
    }

    static void start(EpollSocketChannel channel) {
        var watch = new SilenceWatch(channel);
        channel.pipeline().addFirst(watch);
        var looks = channel.eventLoop().scheduleWithFixedDelay(watch::look, EVERY_MILLIS, EVERY_MILLIS, TimeUnit.MILLISECONDS);
        channel.closeFuture().addListener(closed -> looks.cancel(false));
    }

    @Override
    public void flush(ChannelHandlerContext context) {
        lastSent = now();
        if (!waiting) {
            waiting = true;
            waitingSince = lastSent;
        }
        context.flush();
    }

    private void look() {
        if (!channel.isActive()) {
            return;
        }
        try {
            channel.tcpInfo(info);
        } catch (ChannelException e) {
            // Closed this moment, which the link's listener is told.
            return;
        }
        long now = now();
        long acknowledged = now - info.lastAckRecv() + TICK_MILLIS;
        if (acknowledged >= waitingSince) {
            waiting = lastSent > acknowledged;
            waitingSince = lastSent;
        }
        if (now - lastLook > LONGEST_GAP_MILLIS) {
            waitingSince = now;
        }
        lastLook = now;
        if (waiting && now - waitingSince >= LIMIT_MILLIS) {
            channel.pipeline().fireExceptionCaught(new SilentHostException(now - waitingSince));
        }
    }

    private static long now() {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
    }

    /** Nothing has been acknowledged for too long. */
    static final class SilentHostException extends IOException {

        @Serial
        private static final long serialVersionUID = 1L;

        SilentHostException(long millis) {
            super("its host has acknowledged nothing for " + millis + " ms: the network or the host is down");
        }
    }
}
