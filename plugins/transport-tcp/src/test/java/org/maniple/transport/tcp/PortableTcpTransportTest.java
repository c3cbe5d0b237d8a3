package org.maniple.transport.tcp;

import org.maniple.api.transport.Transport;
import org.maniple.testkit.TransportContract;

/** TCP with the sockets of the JDK, as on hosts without epoll. */
class PortableTcpTransportTest extends TransportContract {

    @Override
    protected Transport transport() {
        return new TcpTransport(true);
    }
}
