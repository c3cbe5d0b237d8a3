import org.jspecify.annotations.NullMarked;

/** Links between ranks over TCP. */
@NullMarked module org.maniple.transport.tcp {
    requires org.maniple.api;
    requires static org.jspecify;
    requires io.netty.buffer;
    requires io.netty.common;
    requires io.netty.transport;
    requires io.netty.transport.classes.epoll;
    requires io.netty.transport.unix.common;

    provides org.maniple.api.transport.Transport with org.maniple.transport.tcp.TcpTransport;
}
