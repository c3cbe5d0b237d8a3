package org.maniple.transport.tcp;

import org.jspecify.annotations.Nullable;
import org.maniple.api.PluginContext;
import org.maniple.api.transport.ControlTransport;
import org.maniple.api.transport.Endpoint;

/**
 * Connects ranks over TCP. Each rank listens on one port, for control links and data links. Both ends of a connection prove to each other
 * that they know the unit's secret before anything else is read. What protects a connection from then on, is the kernel's key {@code
 * link-security}.
 *
 * <p>Control links are served by one event loop thread. Data links belong to the rank's own thread, which reads and writes their sockets
 * itself: handing frames over between threads would cost several times what sending them does.
 */
public final class TcpTransport implements ControlTransport {

    private final boolean portable;
    private final @Nullable LinkSecurity given;

    /** With epoll where there is epoll, and what the configuration says. */
    public TcpTransport() {
        this(false, null);
    }

    /**
     * For tests.
     *
     * @param portable whether to use the JDK's sockets in any case
     * @param given what protects links; null: what the configuration says
     */
    TcpTransport(boolean portable, @Nullable LinkSecurity given) {
        this.portable = portable;
        this.given = given;
    }

    @Override
    public String name() {
        return "tcp";
    }

    @Override
    public Endpoint open(Identity identity, Bind bind, PluginContext context) {
        LinkSecurity security = given == null ? LinkSecurity.of(context.settings()) : given;
        return TcpEndpoint.open(Sockets.choose(portable), identity, security, bind, context);
    }
}
