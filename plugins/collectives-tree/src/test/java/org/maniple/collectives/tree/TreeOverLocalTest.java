package org.maniple.collectives.tree;

import org.maniple.api.collective.Collectives;
import org.maniple.api.transport.Transport;
import org.maniple.kernel.local.LocalTransport;
import org.maniple.testkit.CollectivesContract;

class TreeOverLocalTest extends CollectivesContract {

    @Override
    protected Collectives collectives() {
        return new TreeCollectives();
    }

    @Override
    protected Transport transport() {
        return new LocalTransport();
    }
}
