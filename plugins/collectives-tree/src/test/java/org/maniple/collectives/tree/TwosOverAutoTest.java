package org.maniple.collectives.tree;

import java.util.List;
import org.maniple.api.collective.Collectives;
import org.maniple.api.transport.Transport;
import org.maniple.testkit.CollectivesContract;
import org.maniple.testkit.PretendedHosts;
import org.maniple.transport.shm.ShmTransport;
import org.maniple.transport.tcp.TcpTransport;

/** Pairs of ranks share hosts, whose sums are nodes of the tree. */
class TwosOverAutoTest extends CollectivesContract {

    @Override
    protected Collectives collectives() {
        return new TreeCollectives();
    }

    @Override
    protected Transport transport() {
        return new ChosenPerPair(List.of(new PretendedHosts(new ShmTransport(), List.of(2, 2, 2, 2, 2)), new TcpTransport()));
    }
}
