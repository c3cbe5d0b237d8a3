import org.jspecify.annotations.NullMarked;

/** Links between ranks over TCP. */
@NullMarked module org.maniple.transport.tcp {
    requires org.maniple.api;
    requires static org.jspecify;
    requires io.netty.buffer;
    requires io.netty.common;
    requires io.netty.handler;
    requires io.netty.transport;
    requires io.netty.transport.classes.epoll;
}
