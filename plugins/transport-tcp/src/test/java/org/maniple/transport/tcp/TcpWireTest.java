package org.maniple.transport.tcp;

import org.maniple.api.transport.Transport;
import org.maniple.testkit.WireContract;

/** TCP as this host does it best. */
class TcpWireTest extends WireContract {

    @Override
    protected Transport transport() {
        return new TcpTransport();
    }
}
