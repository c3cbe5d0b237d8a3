package org.maniple.transport.tcp;

import org.maniple.api.transport.ControlTransport;
import org.maniple.testkit.FaultsContract;

/** TCP with checksums, over a network that misbehaves. */
class TcpFaultsTest extends FaultsContract {

    @Override
    protected ControlTransport transport() {
        return new TcpTransport(false, LinkSecurity.AUTH);
    }
}
