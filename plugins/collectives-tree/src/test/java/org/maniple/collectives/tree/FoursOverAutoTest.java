package org.maniple.collectives.tree;

import java.util.List;
import org.maniple.api.collective.Collectives;
import org.maniple.api.transport.Transport;
import org.maniple.testkit.CollectivesContract;
import org.maniple.testkit.PretendedHosts;
import org.maniple.transport.shm.ShmTransport;
import org.maniple.transport.tcp.TcpTransport;

/** Four ranks on each host. */
class FoursOverAutoTest extends CollectivesContract {

    @Override
    protected Collectives collectives() {
        return new TreeCollectives();
    }

    @Override
    protected Transport transport() {
        return new ChosenPerPair(List.of(new PretendedHosts(new ShmTransport(), List.of(4, 4, 4)), new TcpTransport()));
    }
}
