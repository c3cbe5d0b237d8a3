package org.maniple.transport.rdma;

import org.maniple.api.collective.Collectives;
import org.maniple.api.transport.Transport;
import org.maniple.collectives.tree.TreeCollectives;
import org.maniple.testkit.CollectivesContract;

class TreeOverUcxTcpTest extends CollectivesContract {

    @Override
    protected Collectives collectives() {
        return new TreeCollectives();
    }

    @Override
    protected Transport transport() {
        return Backends.tcp();
    }

    @Override
    protected int mostRanks() {
        return 3;
    }
}
