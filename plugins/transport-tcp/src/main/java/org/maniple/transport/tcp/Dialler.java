package org.maniple.transport.tcp;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.IoEventLoopGroup;
import io.netty.util.concurrent.Promise;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.TransportException;

/** Opens connections to peers, again and again until they listen. */
@SuppressWarnings("FutureReturnValueIgnored") // nobody waits for a connection to close; a write that fails closes it
final class Dialler {

    private static final long FIRST_PAUSE_MILLIS = 20;
    private static final long LONGEST_PAUSE_MILLIS = 1_000;
    private static final long SHORTEST_ATTEMPT_MILLIS = 20;

    private final Sockets sockets;
    private final IoEventLoopGroup loop;
    private final Transport.Identity identity;
    private final Guard guard;
    private final Promise<Void> closed;

    Dialler(Sockets sockets, IoEventLoopGroup loop, Transport.Identity identity, Guard guard, Promise<Void> closed) {
        this.sockets = sockets;
        this.loop = loop;
        this.identity = identity;
        this.guard = guard;
        this.closed = closed;
    }

    /**
     * Opens a connection, blocking the calling thread.
     *
     * @throws RefusedLinkException if the peer, or this rank, does not want it
     * @throws TransportException if there is none within the limit
     */
    Greeted dial(String address, int rank, int purpose, Duration limit) {
        long start = System.nanoTime();
        long pause = FIRST_PAUSE_MILLIS;
        int attempts = 0;
        Addresses.port(address);
        while (true) {
            attempts++;
            String reason;
            try {
                return attempt(address, rank, purpose, limit.toNanos() - (System.nanoTime() - start));
            } catch (RefusedLinkException e) {
                throw e;
            } catch (TransportException e) {
                reason = e.getMessage();
            }
            long left = TimeUnit.NANOSECONDS.toMillis(limit.toNanos() - (System.nanoTime() - start));
            if (left < SHORTEST_ATTEMPT_MILLIS) {
                throw new TransportException(
                        "rank " + identity.rank() + " cannot reach rank " + rank + " at " + address + " within "
                                + limit.toMillis() + " ms (" + attempts + " attempts); the last time: " + reason);
            }
            // Half of what is left at most, so that there is time for another attempt.
            pause(Math.min(left / 2, pause));
            pause = Math.min(2 * pause, LONGEST_PAUSE_MILLIS);
        }
    }

    private void pause(long millis) {
        try {
            if (closed.await(millis)) {
                throw new TransportException("the endpoint of rank " + identity.rank() + " is closed");
            }
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    private TransportException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new TransportException("rank " + identity.rank() + " was interrupted while it dialled", e);
    }

    private Greeted attempt(String address, int rank, int purpose, long nanos) {
        var remote = new InetSocketAddress(Addresses.host(address), Addresses.port(address));
        if (remote.isUnresolved()) {
            throw new TransportException("the host name [" + Addresses.host(address) + "] is unknown");
        }
        if (loop.isShuttingDown()) {
            throw new RefusedLinkException("the endpoint of rank " + identity.rank() + " is closed");
        }
        long millis = Math.clamp(TimeUnit.NANOSECONDS.toMillis(nanos), 1, Handshake.LIMIT_MILLIS);
        EventLoop events = loop.next();
        Promise<Greeted> result = events.newPromise();
        new Bootstrap()
                .group(events)
                .channelFactory(sockets.connecting())
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) millis)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.SO_KEEPALIVE, true)
                .option(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(Listener.HANDSHAKE_READ))
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(new DialHandshake(guard, identity, rank, address, purpose, result));
                    }
                })
                .connect(remote)
                .addListener(connected -> {
                    if (!connected.isSuccess()) {
                        result.tryFailure(
                                new TransportException(String.valueOf(connected.cause().getMessage()), connected.cause()));
                    }
                });
        return await(result, millis, address, rank);
    }

    private Greeted await(Promise<Greeted> result, long millis, String address, int rank) {
        try {
            if (!result.await(millis)
                    && result.tryFailure(new TransportException("rank " + rank + " at " + address + " did not answer within "
                            + millis + " ms"))) {
                result.await();
            }
        } catch (InterruptedException e) {
            result.tryFailure(e);
            throw interrupted(e);
        }
        if (result.isSuccess()) {
            return result.getNow();
        }
        if (result.cause() instanceof RefusedLinkException refused) {
            throw refused;
        }
        throw new TransportException(String.valueOf(result.cause().getMessage()), result.cause());
    }
}
