package org.maniple.moe.ep;

import org.maniple.api.Availability;
import org.maniple.api.HostInfo;
import org.maniple.api.PluginContext;
import org.maniple.api.collective.AllToAll;
import org.maniple.api.collective.PairExchange;

/**
 * Everybody gets all tokens by an all-gather and computes those of its experts; sums come back by a reduce-scatter. It is what the compiler derives
 * anyway: nothing is opened.
 */
public final class AllGatherReduceScatter implements AllToAll {

    /** Taken unless another one is asked for. */
    private static final int SCORE = 10;

    @Override
    public String name() {
        return "allgather_reducescatter";
    }

    @Override
    public Availability availability(HostInfo host) {
        return Availability.available(SCORE);
    }

    @Override
    public boolean gathers() {
        return true;
    }

    /** Here every token goes to all other ranks: that is what {@code visits} must say. */
    @Override
    public PairExchange open(Setting setting, PluginContext context) {
        throw new IllegalStateException(
                name() + " gathers tokens by the ordinary collectives; there is no exchange of pairs to open");
    }
}
