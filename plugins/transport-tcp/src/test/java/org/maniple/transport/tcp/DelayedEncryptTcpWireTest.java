package org.maniple.transport.tcp;

import org.maniple.api.transport.Transport;
import org.maniple.testkit.FaultyNetwork;
import org.maniple.testkit.WireContract;

/** TCP with TLS 1.3 over a network that cuts what is sent into pieces and has some of them wait. */
class DelayedEncryptTcpWireTest extends WireContract {

    @Override
    protected Transport transport() {
        var network = new FaultyNetwork(new TcpTransport(false, LinkSecurity.ENCRYPT), true);
        network.inject(FaultyNetwork.delay(1, 20_000, 1));
        return network;
    }

    /** The JDK's TLS makes small objects for every record. */
    @Override
    protected boolean allocatesNothing() {
        return false;
    }
}
