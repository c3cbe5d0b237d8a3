package org.maniple.transport.tcp;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;

/** The kind of sockets that this host has. */
sealed interface Sockets permits EpollSockets, NioSockets {

    /** For event loops and pollers; few descriptors each. */
    IoHandlerFactory handlers();

    ChannelFactory<ServerChannel> listening();

    ChannelFactory<Channel> connecting();

    /**
     * Takes the socket out of a channel that no event loop serves any more.
     *
     * @param looks whether the thread that waits for frames looks for them
     */
    DataSocket take(Channel channel, boolean looks);

    /**
     * Has the system end a connection whose other end does not acknowledge what is sent to it, so that a network or a host that is down is noticed.
     * The other end's kernel acknowledges even while its process gets no processor. Not for data: a rank that computes takes none for a while.
     *
     * @param channel a connection on which something is sent all the time
     * @param millis how long what was sent may stay without an answer
     */
    void limitSilence(Channel channel, int millis);

    static Sockets choose(boolean portable) {
        return !portable && Epoll.isAvailable() ? new EpollSockets() : new NioSockets();
    }
}
