package org.maniple.transport.tcp;

import org.maniple.api.transport.Transport;
import org.maniple.testkit.WireContract;

/** TCP with the sockets of the JDK, as on hosts without epoll. */
class PortableTcpWireTest extends WireContract {

    @Override
    protected Transport transport() {
        return new TcpTransport(true, LinkSecurity.AUTH);
    }

    @Override
    protected boolean allocatesNothing() {
        return false;
    }
}
