package org.maniple.transport.tcp;

import org.maniple.api.transport.ControlTransport;
import org.maniple.testkit.TransportContract;

/** TCP with an authentication code on every frame. */
class IntegrityTcpTransportTest extends TransportContract {

    @Override
    protected ControlTransport transport() {
        return new TcpTransport(false, LinkSecurity.INTEGRITY);
    }
}
