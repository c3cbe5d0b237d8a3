package org.maniple.transport.tcp;

import org.maniple.api.transport.ControlTransport;
import org.maniple.testkit.FaultsContract;

/** TCP with TLS 1.3, over a network that misbehaves. */
class EncryptTcpFaultsTest extends FaultsContract {

    @Override
    protected ControlTransport transport() {
        return new TcpTransport(false, LinkSecurity.ENCRYPT);
    }
}
