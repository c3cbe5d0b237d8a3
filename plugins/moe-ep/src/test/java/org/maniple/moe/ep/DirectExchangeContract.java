package org.maniple.moe.ep;

import java.util.Map;
import org.maniple.api.collective.AllToAll;
import org.maniple.api.collective.Collectives;
import org.maniple.api.transport.Transport;
import org.maniple.collectives.tree.TreeCollectives;
import org.maniple.kernel.local.LocalTransport;
import org.maniple.testkit.PairExchangeContract;

/** The contract in one mode, with the bytes that the messages of this exchange have. */
abstract class DirectExchangeContract extends PairExchangeContract {

    private final String mode;
    private final String dtype;

    DirectExchangeContract(String mode, String dtype) {
        this.mode = mode;
        this.dtype = dtype;
    }

    @Override
    protected AllToAll allToAll() {
        return new DirectAllToAll();
    }

    @Override
    protected Collectives collectives() {
        return new TreeCollectives();
    }

    @Override
    protected Transport transport() {
        return new LocalTransport();
    }

    @Override
    protected Map<String, Object> given() {
        return Map.of("all2all-mode", mode, "moe-dispatch-dtype", dtype);
    }

    /** A count for each message, 8 bytes for each choice, a row for each visit; and in high-throughput mode a size for each rank. */
    @Override
    protected long dispatchBytes(int ranks, int ranksVisited, int visits, int pairs, int width, int largest) {
        int sizes = tellsSizes(largest) ? 4 * (ranks - 1) : 0;
        return sizes + 4L * ranksVisited + 8L * pairs + (long) visits * (4 + rowBytes(width));
    }

    boolean tellsSizes(int largest) {
        return mode.equals("high_throughput");
    }

    int rowBytes(int width) {
        return 4 * width;
    }
}
