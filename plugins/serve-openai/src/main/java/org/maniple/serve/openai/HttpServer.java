package org.maniple.serve.openai;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpResponseEncoder;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.maniple.api.ManipleException;
import org.maniple.api.frontend.Frontend;

/** The running server. */
final class HttpServer implements Frontend.Serving {

    private static final int BACKLOG = 1024;
    private static final long CLOSE_SECONDS = 5;

    private final MultiThreadIoEventLoopGroup loops;
    private final ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    private final Channel listener;
    private final Readiness readiness;
    private final Runs runs;
    private final Workers workers;
    private final Optional<SpanExporter> exporter;
    private final Optional<Tls> tls;

    /**
     * Listens.
     *
     * @param where the address and port; port 0 takes any free one
     * @param host how the configuration calls the address, for messages
     * @param tls what encrypts connections, if they are to be encrypted
     * @throws ManipleException if nothing can listen there
     */
    HttpServer(InetSocketAddress where, String host, int threads, HttpLimits limits, Router router, Json json,
            Readiness readiness,
            Runs runs, Workers workers, Optional<SpanExporter> exporter, Optional<Tls> tls) {
        this.tls = tls;
        this.exporter = exporter;
        this.readiness = readiness;
        this.runs = runs;
        this.workers = workers;
        this.loops = new MultiThreadIoEventLoopGroup(threads, NioIoHandler.newFactory());
        ConnectionCensus census = new ConnectionCensus(limits);
        BodyBudget budget = new BodyBudget(limits.allBodyBytes());
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(loops)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK,
                        new WriteBufferWaterMark(limits.streamBytes() / 4, limits.streamBytes()))
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        connections.add(channel);
                        tls.ifPresent(own -> channel.pipeline().addLast(own.handler(channel.alloc())));
                        Connection connection = new Connection(channel, limits, census, budget, router, json);
                        channel.pipeline().addLast(new StrictRequestDecoder(limits, connection::bytesCame),
                                new HttpResponseEncoder(),
                                connection);
                    }
                });
        ChannelFuture bound = bootstrap.bind(where).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            loops.shutdownGracefully(0, CLOSE_SECONDS, TimeUnit.SECONDS).awaitUninterruptibly(CLOSE_SECONDS, TimeUnit.SECONDS);
            workers.close();
            exporter.ifPresent(SpanExporter::close);
            throw cannotListen(host, where, bound.cause());
        }
        listener = bound.channel();
    }

    @Override
    public String url() {
        InetSocketAddress bound = (InetSocketAddress) listener.localAddress();
        String address = bound.getAddress().isAnyLocalAddress() ? "0.0.0.0" : bound.getAddress().getHostAddress();
        return (tls.isPresent() ? "https://" : "http://") + (address.contains(":") ? "[" + address + "]" : address) + ":"
                + bound.getPort();
    }

    @Override
    public void drain(String reason) {
        readiness.drain(reason);
    }

    @Override
    public void close() {
        readiness.drain("the server is closing");
        listener.close().awaitUninterruptibly(CLOSE_SECONDS, TimeUnit.SECONDS);
        runs.cancelAll();
        workers.close();
        connections.close().awaitUninterruptibly(CLOSE_SECONDS, TimeUnit.SECONDS);
        loops.shutdownGracefully(0, CLOSE_SECONDS, TimeUnit.SECONDS).awaitUninterruptibly(CLOSE_SECONDS, TimeUnit.SECONDS);
        exporter.ifPresent(SpanExporter::close);
    }

    private static ManipleException cannotListen(String host, InetSocketAddress where, Throwable cause) {
        String what = "cannot listen on host [" + host + "] port [" + where.getPort() + "]: ";
        if (where.isUnresolved()) {
            return new ManipleException(what + "the host has no address; give an address of this machine with --host", cause);
        }
        return new ManipleException(
                what + cause.getMessage() + "; if another program uses the port, stop it or choose another one with"
                        + " --port; the host must be an address of this machine",
                cause);
    }
}
