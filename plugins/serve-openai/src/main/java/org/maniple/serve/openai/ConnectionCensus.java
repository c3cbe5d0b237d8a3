package org.maniple.serve.openai;

import io.netty.channel.Channel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;

/**
 * Counts the open connections. Of those that have not yet sent a whole header each address may have a few; when it opens more, its
 * oldest one gives way, so that a client that holds connections open in silence cannot keep others of its address out. Safe for use
 * by several threads.
 */
final class ConnectionCensus {

    private final HttpLimits limits;
    private final Map<InetAddress, LinkedHashSet<Channel>> silent = new HashMap<>();
    private int open;

    ConnectionCensus(HttpLimits limits) {
        this.limits = limits;
    }

    /** Whether there is room for a new connection. */
    boolean opened(Channel channel) {
        Optional<Channel> evicted;
        synchronized (this) {
            open++;
            evicted = count(channel);
            if (open > limits.connections()) {
                return false;
            }
        }
        evicted.ifPresent(ConnectionCensus::evict);
        return true;
    }

    /** The connection has sent a whole header. */
    synchronized void spoke(Channel channel) {
        InetAddress address = address(channel);
        LinkedHashSet<Channel> channels = silent.get(address);
        if (channels != null && channels.remove(channel) && channels.isEmpty()) {
            silent.remove(address);
        }
    }

    synchronized void closed(Channel channel) {
        open--;
        spoke(channel);
    }

    private Optional<Channel> count(Channel channel) {
        LinkedHashSet<Channel> channels = silent.computeIfAbsent(address(channel), a -> new LinkedHashSet<>());
        channels.add(channel);
        return channels.size() > limits.silentPerAddress() ? Optional.of(channels.removeFirst()) : Optional.empty();
    }

    @SuppressWarnings("FutureReturnValueIgnored") // nobody waits for the end of a connection
    private static void evict(Channel channel) {
        channel.close();
    }

    private static InetAddress address(Channel channel) {
        return channel.remoteAddress() instanceof InetSocketAddress remote && remote.getAddress() != null
                ? remote.getAddress()
                : InetAddress.getLoopbackAddress();
    }
}
