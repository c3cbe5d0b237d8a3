package org.maniple.transport.rdma;

import org.maniple.api.transport.Transport;
import org.maniple.testkit.WireContract;

class UcxTcpWireTest extends WireContract {

    @Override
    protected Transport transport() {
        return Backends.tcp();
    }
}
