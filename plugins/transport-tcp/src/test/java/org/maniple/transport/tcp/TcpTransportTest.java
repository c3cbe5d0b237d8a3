package org.maniple.transport.tcp;

import org.maniple.api.transport.ControlTransport;
import org.maniple.testkit.TransportContract;

/** TCP as this host does it best. */
class TcpTransportTest extends TransportContract {

    @Override
    protected ControlTransport transport() {
        return new TcpTransport();
    }
}
