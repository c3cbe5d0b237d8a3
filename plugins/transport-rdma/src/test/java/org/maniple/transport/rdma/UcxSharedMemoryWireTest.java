package org.maniple.transport.rdma;

import org.maniple.api.transport.Transport;
import org.maniple.testkit.WireContract;

class UcxSharedMemoryWireTest extends WireContract {

    @Override
    protected Transport transport() {
        return Backends.sharedMemory();
    }
}
