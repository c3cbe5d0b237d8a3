package org.maniple.transport.tcp;

import org.maniple.api.transport.ControlTransport;
import org.maniple.testkit.FaultsContract;

/** TCP with an authentication code on every frame, over a network that misbehaves. */
class IntegrityTcpFaultsTest extends FaultsContract {

    @Override
    protected ControlTransport transport() {
        return new TcpTransport(false, LinkSecurity.INTEGRITY);
    }
}
