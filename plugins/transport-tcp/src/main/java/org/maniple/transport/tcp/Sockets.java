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
     * Watches over a connection on which something is sent all the time: if the other end's host acknowledges nothing any more, the channel's pipeline
     * is told with an exception.
     */
    void watchOver(Channel channel);

    static Sockets choose(boolean portable) {
        return !portable && Epoll.isAvailable() ? new EpollSockets() : new NioSockets();
    }
}
