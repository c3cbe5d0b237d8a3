package org.maniple.kernel.local;

import org.maniple.api.transport.Transport;
import org.maniple.testkit.TransportContract;

class LocalTransportTest extends TransportContract {

    @Override
    protected Transport transport() {
        return new LocalTransport();
    }
}
