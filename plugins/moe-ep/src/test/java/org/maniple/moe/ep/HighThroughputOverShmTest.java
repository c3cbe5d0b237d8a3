package org.maniple.moe.ep;

import org.maniple.api.transport.Transport;
import org.maniple.transport.shm.ShmTransport;

class HighThroughputOverShmTest extends DirectExchangeContract {

    HighThroughputOverShmTest() {
        super("high_throughput", "f32");
    }

    @Override
    protected Transport transport() {
        return new ShmTransport();
    }
}
