package org.maniple.kernel.boot;

import java.util.ArrayList;
import java.util.List;
import org.maniple.api.config.Settings;
import org.maniple.kernel.config.KernelOptions;
import org.maniple.kernel.config.Topology;
import org.maniple.kernel.config.UnitConfiguration;
import org.maniple.kernel.program.MeshProgram;

/**
 * Whether and for whom a rank serves. Usually rank 0 serves all; where every group of ranks has an API of its own, the first rank of each
 * serves that group, unless its node is headless.
 *
 * @param perGroup whether every group has an API of its own
 * @param serves whether this rank has one
 * @param home the group that this rank belongs to
 * @param before how many APIs of other groups are on this node before this one: they use the ports from the configured one on
 */
record ApiPlace(boolean perGroup, boolean serves, int home, int before) {

    static ApiPlace of(UnitConfiguration configuration, MeshProgram program, int rank) {
        Settings settings = configuration.settings();
        int home = program.homeOf(rank);
        if (!settings.flag(KernelOptions.API_PER_GROUP)) {
            return new ApiPlace(false, rank == 0, home, 0);
        }
        List<Integer> first = firstRanks(program);
        Topology topology = configuration.topology();
        int start = topology.firstRank();
        int before = (int) first.stream().filter(other -> other >= start && other < rank).count();
        boolean serves = first.contains(rank) && !settings.flag(KernelOptions.HEADLESS);
        return new ApiPlace(true, serves, home, before);
    }

    /** The lowest rank of each group, in the order of groups. */
    static List<Integer> firstRanks(MeshProgram program) {
        var first = new ArrayList<Integer>();
        for (int home = 0; home < program.homes(); home++) {
            int rank = 0;
            while (program.homeOf(rank) != home) {
                rank++;
            }
            first.add(rank);
        }
        return first;
    }

    /** The configuration for the frontend of this rank: with a port of its own where a node has several. */
    UnitConfiguration configuration(UnitConfiguration configuration) {
        int port = configuration.settings().integer(KernelOptions.PORT);
        if (before == 0 || port == 0) {
            return configuration;
        }
        return configuration.with(configuration.settings().derive(KernelOptions.PORT, Integer.toString(port + before),
                "because " + before + " of the groups on this node come before group " + home));
    }
}
