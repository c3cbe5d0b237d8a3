package org.maniple.api.collective;

import java.lang.foreign.MemorySegment;
import java.util.function.LongFunction;
import org.maniple.api.Extension;
import org.maniple.api.PluginContext;

/**
 * A way to bring tokens to the ranks that have their experts, and results back. The compiler derives what has to be exchanged; the back end named
 * by {@code all2all-backend} carries it out.
 */
public interface AllToAll extends Extension {

    /**
     * Whether tokens are gathered by everybody before experts are computed and sums are scattered afterwards, with the ordinary collectives; then
     * {@link #open} is never called. Otherwise each token goes only to the ranks that have one of its experts.
     *
     * @return whether they are
     */
    boolean gathers();

    /**
     * Begins to exchange pairs among some ranks. Where steps are computed in two halves, there are two exchanges among the same ranks, whose operations
     * alternate in the same order on all of them.
     *
     * @param setting what is exchanged
     * @param context the plugin's context
     * @return for use by the rank's own thread
     */
    PairExchange open(Setting setting, PluginContext context);

    /**
     * What is exchanged.
     *
     * @param communicator reaches the ranks
     * @param group the ranks: those along the mesh dimensions over which tokens are split
     * @param width elements of a token's row
     * @param choices experts of a token at most
     * @param slots experts on this rank
     * @param maxTokens tokens that one rank of the group has at most
     * @param memory gives memory that lives as long as the exchange
     */
    record Setting(Communicator communicator, Communicator.Group group, int width, int choices, int slots, int maxTokens,
            LongFunction<MemorySegment> memory) {}
}
