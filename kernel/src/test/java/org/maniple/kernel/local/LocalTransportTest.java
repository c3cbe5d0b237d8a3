package org.maniple.kernel.local;

import org.maniple.api.transport.ControlTransport;
import org.maniple.testkit.TransportContract;

class LocalTransportTest extends TransportContract {

    @Override
    protected ControlTransport transport() {
        return new LocalTransport();
    }
}
