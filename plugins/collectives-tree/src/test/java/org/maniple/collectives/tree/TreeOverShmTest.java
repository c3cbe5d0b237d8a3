package org.maniple.collectives.tree;

import org.maniple.api.collective.Collectives;
import org.maniple.api.transport.Transport;
import org.maniple.testkit.CollectivesContract;
import org.maniple.transport.shm.ShmTransport;

class TreeOverShmTest extends CollectivesContract {

    @Override
    protected Collectives collectives() {
        return new TreeCollectives();
    }

    @Override
    protected Transport transport() {
        return new ShmTransport();
    }
}
