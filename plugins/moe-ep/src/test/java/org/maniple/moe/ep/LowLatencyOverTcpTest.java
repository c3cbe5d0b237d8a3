package org.maniple.moe.ep;

import org.maniple.api.transport.Transport;
import org.maniple.transport.tcp.TcpTransport;

class LowLatencyOverTcpTest extends DirectExchangeContract {

    LowLatencyOverTcpTest() {
        super("low_latency", "f32");
    }

    @Override
    protected Transport transport() {
        return new TcpTransport();
    }
}
