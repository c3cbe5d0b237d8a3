package org.maniple.transport.tcp;

import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelOption;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.unix.RawUnixChannelOption;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Sets up the socket of a data link, and tells how it is. The sizes of buffers are left to the system, which lets them grow as needed: sizes that
 * are set are limited to less on most hosts.
 */
final class SocketOptions {

    private static final int IPPROTO_TCP = 6;
    private static final int TCP_CONGESTION = 13;
    /** Every Linux has it, and allows it to everybody. */
    private static final byte[] RENO = "reno".getBytes(StandardCharsets.US_ASCII);
    private static final RawUnixChannelOption CONGESTION = new RawUnixChannelOption("TCP_CONGESTION", IPPROTO_TCP, TCP_CONGESTION,
            RENO.length);
    private static final int BUSY_POLL_MICROS = 50;

    private final Channel channel;
    private final List<String> shown = new ArrayList<>(List.of("TCP_NODELAY"));

    private SocketOptions(Channel channel) {
        this.channel = channel;
    }

    /** What every system has. */
    static String plain(Channel channel) {
        return new SocketOptions(channel).text();
    }

    /**
     * Sets what Linux has in addition.
     *
     * @param looks whether threads have processors of their own, and look for frames
     */
    static String linux(Channel channel, boolean looks) {
        var options = new SocketOptions(channel);
        boolean sameHost = Addresses.sameHost(channel.localAddress(), channel.remoteAddress());
        if (looks && sameHost) {
            options.congestion();
        } else if (looks) {
            options.busyPoll();
        }
        return options.text();
    }

    /**
     * Congestion controls that measure bandwidth and pace what they send take a host's memory for a slow network. Not where ranks share processors:
     * frames from a thread that moves between them overtake each other, which this one takes for losses.
     */
    private void congestion() {
        shown.add(set(CONGESTION, ByteBuffer.wrap(RENO)) ? "congestion control reno" : "the system's congestion control");
    }

    /** Who looks for frames has the network card asked, instead of waiting for its interrupt. */
    private void busyPoll() {
        shown.add(set(EpollChannelOption.SO_BUSY_POLL, BUSY_POLL_MICROS)
                ? "SO_BUSY_POLL " + BUSY_POLL_MICROS + " µs"
                : "no SO_BUSY_POLL (needs CAP_NET_ADMIN)");
    }

    private <T> boolean set(ChannelOption<T> option, T value) {
        try {
            return channel.config().setOption(option, value);
        } catch (ChannelException e) {
            // Not allowed; it works without.
            return false;
        }
    }

    private String text() {
        try {
            int send = channel.config().getOption(ChannelOption.SO_SNDBUF);
            int receive = channel.config().getOption(ChannelOption.SO_RCVBUF);
            shown.add("buffers from " + (send >> 10) + " and " + (receive >> 10) + " KiB on");
        } catch (ChannelException e) {
            // The peer has closed already; whoever uses the link will say so.
        }
        return String.join(", ", shown);
    }
}
