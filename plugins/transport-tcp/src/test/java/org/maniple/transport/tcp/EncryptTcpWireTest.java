package org.maniple.transport.tcp;

import org.maniple.api.transport.Transport;
import org.maniple.testkit.WireContract;

/** TCP with TLS 1.3. */
class EncryptTcpWireTest extends WireContract {

    @Override
    protected Transport transport() {
        return new TcpTransport(false, LinkSecurity.ENCRYPT);
    }

    /** The JDK's TLS makes small objects for every record. */
    @Override
    protected boolean allocatesNothing() {
        return false;
    }
}
