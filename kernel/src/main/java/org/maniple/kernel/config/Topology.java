package org.maniple.kernel.config;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * Where this process stands in its unit.
 *
 * @param platform what started it, for example {@code SLURM}, {@code LeaderWorkerSet} or {@code torchrun}
 * @param nodes nodes of the unit
 * @param node the number of this node, from 0
 * @param nodeSource what says so
 * @param ranksPerNode ranks on each node
 * @param rank the number of this process, if it is a rank
 * @param rendezvous where the ranks meet; port 0 if they are all on this node and nobody has chosen one yet
 * @param rendezvousSource what says so
 * @param commInterface the network interface that the others reach this node at
 * @param commAddress its address
 * @param commSource why it was chosen
 */
public record Topology(
        String platform,
        int nodes,
        int node,
        String nodeSource,
        List<Integer> ranksPerNode,
        OptionalInt rank,
        HostPort rendezvous,
        String rendezvousSource,
        String commInterface,
        String commAddress,
        String commSource) {

    /** Copies the list. */
    public Topology {
        ranksPerNode = List.copyOf(ranksPerNode);
    }

    /**
     * The number of ranks on this node.
     *
     * @return at least 1
     */
    public int ranksHere() {
        return ranksPerNode.get(node);
    }

    /**
     * The lowest rank on this node; the others follow it.
     *
     * @return its number
     */
    public int firstRank() {
        return firstRank(node);
    }

    private int firstRank(int of) {
        return ranksPerNode.subList(0, of).stream().mapToInt(Integer::intValue).sum();
    }

    /**
     * The node that a rank is on.
     *
     * @param rankNumber a rank of the unit
     * @return the node's number
     */
    public int nodeOf(int rankNumber) {
        int at = 0;
        while (rankNumber >= firstRank(at) + ranksPerNode.get(at)) {
            at++;
        }
        return at;
    }

    /**
     * For people.
     *
     * @return a line for each fact, with its source
     */
    public List<String> render() {
        var lines = new ArrayList<String>();
        lines.add("platform: " + platform);
        lines.add("node " + node + " of " + nodes + " (" + nodeSource + "), ranks " + firstRank() + " to "
                + (firstRank() + ranksHere() - 1));
        lines.add("ranks meet at " + rendezvous + " (" + rendezvousSource + ")");
        lines.add("reached by the others at " + commAddress + " on " + commInterface + " (" + commSource + ")");
        return lines;
    }
}
