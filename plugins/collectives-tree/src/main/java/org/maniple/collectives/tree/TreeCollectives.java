package org.maniple.collectives.tree;

import org.maniple.api.PluginContext;
import org.maniple.api.collective.Collectives;
import org.maniple.api.collective.Communicator;
import org.maniple.api.transport.Wire;

/**
 * Collective operations over any wire. Each rank that needs a sum receives all addends and forms it itself: a small all-reduce is one
 * exchange in which everybody sums everything, a larger one a direct reduce-scatter followed by a direct all-gather. Over several hosts, ranks of
 * a host that share memory form their sum first, if that is a node of the tree.
 */
public final class TreeCollectives implements Collectives {

    @Override
    public String name() {
        return "tree";
    }

    @Override
    public Communicator open(Wire wire, long stepLimitNanos, PluginContext context) {
        return new TreeCommunicator(wire, stepLimitNanos, context::announce);
    }
}
