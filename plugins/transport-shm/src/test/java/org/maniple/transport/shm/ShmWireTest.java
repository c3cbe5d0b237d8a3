package org.maniple.transport.shm;

import org.maniple.api.transport.Transport;
import org.maniple.testkit.WireContract;

class ShmWireTest extends WireContract {

    @Override
    protected Transport transport() {
        return new ShmTransport();
    }
}
