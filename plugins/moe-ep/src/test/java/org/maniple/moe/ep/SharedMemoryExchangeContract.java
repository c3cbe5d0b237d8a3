package org.maniple.moe.ep;

import java.util.Map;
import org.maniple.api.collective.AllToAll;
import org.maniple.api.collective.Collectives;
import org.maniple.api.transport.Transport;
import org.maniple.collectives.tree.TreeCollectives;
import org.maniple.testkit.PairExchangeContract;
import org.maniple.transport.shm.ShmTransport;

/** The contract in one mode, with the bytes that others read of a rank's memory. */
abstract class SharedMemoryExchangeContract extends PairExchangeContract {

    private final String mode;

    SharedMemoryExchangeContract(String mode) {
        this.mode = mode;
    }

    @Override
    protected AllToAll allToAll() {
        return new SharedMemoryAllToAll();
    }

    @Override
    protected Collectives collectives() {
        return new TreeCollectives();
    }

    @Override
    protected Transport transport() {
        return new ShmTransport();
    }

    @Override
    protected Map<String, Object> given() {
        return Map.of("all2all-mode", mode);
    }

    /** 16 bytes for each choice, and a row for each visit, though the row is there once; sizes are not exchanged. */
    @Override
    protected long dispatchBytes(int ranks, int ranksVisited, int visits, int pairs, int width, int largest) {
        return 16L * pairs + 4L * visits * width;
    }
}
