package org.maniple.transport.tcp;

import org.maniple.api.transport.ControlTransport;
import org.maniple.testkit.TransportContract;

/** TCP with TLS 1.3. */
class EncryptTcpTransportTest extends TransportContract {

    @Override
    protected ControlTransport transport() {
        return new TcpTransport(false, LinkSecurity.ENCRYPT);
    }
}
