package org.maniple.transport.tcp;

import org.maniple.api.transport.Transport;
import org.maniple.testkit.WireContract;

/** TCP with an authentication code on every frame. */
class IntegrityTcpWireTest extends WireContract {

    @Override
    protected Transport transport() {
        return new TcpTransport(false, LinkSecurity.INTEGRITY);
    }
}
