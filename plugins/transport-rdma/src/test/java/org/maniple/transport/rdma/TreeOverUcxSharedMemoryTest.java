package org.maniple.transport.rdma;

import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.maniple.api.collective.Collectives;
import org.maniple.api.transport.Transport;
import org.maniple.collectives.tree.TreeCollectives;
import org.maniple.testkit.CollectivesContract;

@EnabledIfSystemProperty(named = "maniple.units", matches = "all", disabledReason = "it differs from TCP in what carries the frames only, which UcxSharedMemoryWireTest looks at (-Dmaniple.units=all)")
class TreeOverUcxSharedMemoryTest extends CollectivesContract {

    @Override
    protected Collectives collectives() {
        return new TreeCollectives();
    }

    @Override
    protected Transport transport() {
        return Backends.sharedMemory();
    }
}
