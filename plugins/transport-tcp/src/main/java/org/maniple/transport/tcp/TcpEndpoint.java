package org.maniple.transport.tcp;

import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.ChannelOption;
import io.netty.channel.IoEventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.ImmediateEventExecutor;
import io.netty.util.concurrent.Promise;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.maniple.api.PluginContext;
import org.maniple.api.transport.ControlLink;
import org.maniple.api.transport.Endpoint;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.TransportException;
import org.maniple.api.transport.WaitStrategy;
import org.maniple.api.transport.Wire;

/** A rank's port, its event loop for control links, and what peers have dialled. */
@SuppressWarnings("FutureReturnValueIgnored") // nobody waits for a connection to close; a write that fails closes it
final class TcpEndpoint implements Endpoint, AcceptHandshake.Outcome {

    /** Strangers can cause no more lines than this. */
    private static final int MAX_REFUSALS_SHOWN = 20;

    private static final long SHUTDOWN_MILLIS = 2_000;

    private final Sockets sockets;
    private final Transport.Identity identity;
    private final PluginContext context;
    private final IoEventLoopGroup loop;
    private final Promise<Void> closed = ImmediateEventExecutor.INSTANCE.newPromise();
    private final Dialler dialler;
    private final DataLinks dataLinks;
    private final Listener listener;
    private final AtomicInteger refusals = new AtomicInteger();
    private final Set<TcpControlLink> links = ConcurrentHashMap.newKeySet();
    /** Used on the event loop only. */
    private final Queue<TcpControlLink> early = new ArrayDeque<>();
    private @Nullable Acceptor acceptor;

    private TcpEndpoint(Sockets sockets, Transport.Identity identity, Guard guard, Transport.Bind bind, PluginContext context,
            IoEventLoopGroup loop) {
        this.sockets = sockets;
        this.identity = identity;
        this.context = context;
        this.loop = loop;
        this.dialler = new Dialler(sockets, loop, identity, guard, closed);
        this.dataLinks = new DataLinks(sockets, identity, dialler);
        this.listener = Listener.open(sockets, loop, identity, bind, guard, this);
    }

    static TcpEndpoint open(Sockets sockets, Transport.Identity identity, LinkSecurity security, Transport.Bind bind,
            PluginContext context) {
        var guard = new Guard(identity.secret(), security);
        var threads = new DefaultThreadFactory("tcp-control-" + identity.rank(), true);
        IoEventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, threads, sockets.handlers());
        try {
            return new TcpEndpoint(sockets, identity, guard, bind, context, loop);
        } catch (RuntimeException e) {
            loop.shutdownGracefully(0, SHUTDOWN_MILLIS, TimeUnit.MILLISECONDS);
            throw e;
        }
    }

    @Override
    public String address() {
        return listener.address();
    }

    @Override
    public void accept(Acceptor newAcceptor) {
        loop.next().execute(() -> {
            acceptor = newAcceptor;
            for (TcpControlLink link = early.poll(); link != null; link = early.poll()) {
                newAcceptor.accept(link);
            }
        });
    }

    @Override
    public ControlLink dial(String address, int peer, Duration limit) {
        Greeted connection = dialler.dial(address, peer, Preface.CONTROL, limit);
        TcpControlLink link = control(connection, peer, address);
        connection.channel().eventLoop().submit(link::attach).awaitUninterruptibly();
        return link;
    }

    private TcpControlLink control(Greeted connection, int peer, String address) {
        var link = new TcpControlLink(connection, peer, address);
        connection.channel().config().setOption(ChannelOption.RECVBUF_ALLOCATOR, new AdaptiveRecvByteBufAllocator());
        sockets.watchOver(connection.channel());
        links.add(link);
        connection.channel().closeFuture().addListener(gone -> links.remove(link));
        return link;
    }

    @Override
    public void greeted(Preface preface, Greeted connection) {
        if (preface.purpose() == Preface.DATA) {
            dataLinks.arrived(preface.rank(), connection);
            return;
        }
        TcpControlLink link = control(connection, preface.rank(), Addresses.format(connection.channel().remoteAddress()));
        link.attach();
        Acceptor taker = acceptor;
        if (taker == null) {
            early.add(link);
        } else {
            taker.accept(link);
        }
    }

    @Override
    public void refused(@Nullable Preface preface, String reason) {
        if (preface != null) {
            dataLinks.refused(preface.rank(), reason);
        }
        if (refusals.incrementAndGet() <= MAX_REFUSALS_SHOWN && !closed.isDone()) {
            context.announce("rank " + identity.rank() + " refused a connection: " + reason);
        }
    }

    @Override
    public void over() {
        // Counted by the listener.
    }

    @Override
    public Wire connect(List<String> addresses, Set<Integer> peers, Duration limit) {
        if (addresses.size() != identity.ranks()) {
            throw new IllegalArgumentException(
                    "connect() needs the addresses of all " + identity.ranks() + " ranks, not " + addresses.size());
        }
        for (int peer : peers) {
            if (peer < 0 || peer >= identity.ranks() || peer == identity.rank()) {
                throw new IllegalArgumentException(
                        "rank " + identity.rank() + " of " + identity.ranks() + " cannot be connected with rank "
                                + peer);
            }
        }
        if (closed.isDone()) {
            throw new TransportException("the endpoint of rank " + identity.rank() + " is closed");
        }
        WaitStrategy waiting = waiting(addresses);
        Map<Integer, TcpWire.Connection> connections = dataLinks.connect(addresses, new TreeSet<>(peers), waiting.looks(), limit);
        announce(connections, waiting);
        return new TcpWire(identity.rank(), identity.ranks(), connections, sockets, waiting);
    }

    /** One line for all links that are alike. */
    private void announce(Map<Integer, TcpWire.Connection> connections, WaitStrategy waiting) {
        var alike = new TreeMap<String, List<Integer>>();
        connections.forEach((peer, connection) -> alike
                .computeIfAbsent(connection.socket().interfaceName() + ": " + connection.protection().security() + ", "
                        + connection.socket().options(),
                        o -> new ArrayList<>())
                .add(peer));
        alike.forEach((how, there) -> context.announce("rank " + identity.rank() + " → "
                + there.stream().sorted().map(String::valueOf).collect(Collectors.joining(", ")) + " via tcp over " + how));
        if (!connections.isEmpty()) {
            context.announce(waiting.toString());
        }
    }

    /** Ranks with the same host in their addresses share this machine. */
    private WaitStrategy waiting(List<String> addresses) {
        String host = Addresses.host(addresses.get(identity.rank()));
        int here = (int) addresses.stream().filter(address -> Addresses.host(address).equals(host)).count();
        return WaitStrategy.of(here, context);
    }

    @Override
    public void close() {
        if (closed.trySuccess(null)) {
            links.forEach(TcpControlLink::close);
            listener.close();
            dataLinks.close();
            loop.shutdownGracefully(0, SHUTDOWN_MILLIS, TimeUnit.MILLISECONDS).awaitUninterruptibly(SHUTDOWN_MILLIS);
        }
    }
}
