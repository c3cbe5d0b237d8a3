package org.maniple.transport.tcp;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.IoEventLoopGroup;
import java.net.InetSocketAddress;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.TransportException;

/** The listening socket. Strangers can have a few connections, a few bytes of each, and a few seconds. */
@SuppressWarnings("FutureReturnValueIgnored") // nobody waits for a connection to close; a write that fails closes it
final class Listener {

    /** Connections that have not proved anything yet. More are closed as they come. */
    static final int MAX_STRANGERS = 64;

    /** More than the longest message of a handshake. */
    static final int HANDSHAKE_READ = 1024;

    private static final int BACKLOG = 256;

    private final Channel channel;
    private final String address;

    private Listener(Channel channel, String address) {
        this.channel = channel;
        this.address = address;
    }

    static Listener open(Sockets sockets, IoEventLoopGroup loop, Transport.Identity identity, Transport.Bind bind, Guard guard,
            AcceptHandshake.Outcome outcome) {
        var strangers = new AtomicInteger();
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(loop)
                .channelFactory(sockets.listening())
                .option(ChannelOption.SO_REUSEADDR, true)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(HANDSHAKE_READ))
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel connection) {
                        if (strangers.incrementAndGet() > MAX_STRANGERS) {
                            strangers.decrementAndGet();
                            connection.close();
                            return;
                        }
                        String from = Addresses.format(connection.remoteAddress());
                        connection.pipeline()
                                .addLast(new AcceptHandshake(guard, identity, from, new Counted(outcome, strangers)));
                    }
                });
        Channel bound = bind(bootstrap, identity, bind);
        int port = ((InetSocketAddress) bound.localAddress()).getPort();
        return new Listener(bound, Addresses.format(bind.host(), port));
    }

    private static Channel bind(ServerBootstrap bootstrap, Transport.Identity identity, Transport.Bind bind) {
        String problem = "rank " + identity.rank() + " cannot listen on " + Addresses.format(bind.host(), bind.port());
        var local = new InetSocketAddress(bind.host(), bind.port());
        if (local.isUnresolved()) {
            throw new TransportException(problem + ": the host name is unknown; give an address of this machine");
        }
        ChannelFuture bound = bootstrap.bind(local).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new TransportException(
                    problem + ": " + bound.cause().getMessage() + "; give an address of this machine and a free port",
                    bound.cause());
        }
        return bound.channel();
    }

    String address() {
        return address;
    }

    void close() {
        channel.close().awaitUninterruptibly();
    }

    /** Counts strangers down again. */
    private record Counted(AcceptHandshake.Outcome outcome, AtomicInteger strangers) implements AcceptHandshake.Outcome {
        @Override
        public void greeted(Preface preface, Greeted connection) {
            outcome.greeted(preface, connection);
        }

        @Override
        public void refused(@Nullable Preface preface, String reason) {
            outcome.refused(preface, reason);
        }

        @Override
        public void over() {
            strangers.decrementAndGet();
            outcome.over();
        }
    }
}
