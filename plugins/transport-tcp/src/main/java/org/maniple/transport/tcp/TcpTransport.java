package org.maniple.transport.tcp;

import org.maniple.api.PluginContext;
import org.maniple.api.transport.ControlTransport;
import org.maniple.api.transport.Endpoint;

/**
 * Connects ranks over TCP. Each rank listens on one port, for control links and data links. Both ends of a connection prove to each other
 * that they know the unit's secret before anything else is read.
 *
 * <p>Control links are served by one event loop thread. Data links belong to the rank's own thread, which reads and writes their sockets
 * itself: handing frames over between threads would cost several times what sending them does.
 */
public final class TcpTransport implements ControlTransport {

    private final boolean portable;

    /** With epoll where there is epoll. */
    public TcpTransport() {
        this(false);
    }

    /** With the JDK's sockets in any case, if so asked. */
    TcpTransport(boolean portable) {
        this.portable = portable;
    }

    @Override
    public String name() {
        return "tcp";
    }

    @Override
    public Endpoint open(Identity identity, Bind bind, PluginContext context) {
        return TcpEndpoint.open(Sockets.choose(portable), identity, bind, context);
    }
}
