package org.maniple.transport.tcp;

import org.maniple.api.transport.Transport;
import org.maniple.testkit.TransportContract;

/** TCP as this host does it best. */
class TcpTransportTest extends TransportContract {

    @Override
    protected Transport transport() {
        return new TcpTransport();
    }
}
