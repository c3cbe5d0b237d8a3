package org.maniple.kernel.local;

import org.maniple.api.transport.Transport;
import org.maniple.testkit.WireContract;

class LocalWireTest extends WireContract {

    @Override
    protected Transport transport() {
        return new LocalTransport();
    }
}
