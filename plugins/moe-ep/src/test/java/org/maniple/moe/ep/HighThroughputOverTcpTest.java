package org.maniple.moe.ep;

import org.maniple.api.transport.Transport;
import org.maniple.transport.tcp.TcpTransport;

class HighThroughputOverTcpTest extends DirectExchangeContract {

    HighThroughputOverTcpTest() {
        super("high_throughput", "f32");
    }

    @Override
    protected Transport transport() {
        return new TcpTransport();
    }
}
