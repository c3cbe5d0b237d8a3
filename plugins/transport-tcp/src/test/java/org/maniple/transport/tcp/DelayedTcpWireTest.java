package org.maniple.transport.tcp;

import org.maniple.api.transport.Transport;
import org.maniple.testkit.FaultyNetwork;
import org.maniple.testkit.WireContract;

/** TCP over a network that cuts what is sent into pieces and has some of them wait. */
class DelayedTcpWireTest extends WireContract {

    @Override
    protected Transport transport() {
        var network = new FaultyNetwork(new TcpTransport(false, LinkSecurity.AUTH), true);
        network.inject(FaultyNetwork.delay(1, 20_000, 1));
        return network;
    }
}
