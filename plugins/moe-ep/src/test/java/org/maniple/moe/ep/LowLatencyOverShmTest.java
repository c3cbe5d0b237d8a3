package org.maniple.moe.ep;

import org.maniple.api.transport.Transport;
import org.maniple.transport.shm.ShmTransport;

class LowLatencyOverShmTest extends DirectExchangeContract {

    LowLatencyOverShmTest() {
        super("low_latency", "f32");
    }

    @Override
    protected Transport transport() {
        return new ShmTransport();
    }
}
