package org.maniple.transport.tcp;

import org.maniple.api.transport.ControlTransport;
import org.maniple.testkit.TransportContract;

/** TCP with the sockets of the JDK, as on hosts without epoll. */
class PortableTcpTransportTest extends TransportContract {

    @Override
    protected ControlTransport transport() {
        return new TcpTransport(true, LinkSecurity.AUTH);
    }
}
