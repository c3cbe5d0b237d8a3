package org.maniple.kernel.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.maniple.api.mesh.Mesh;
import org.maniple.api.mesh.MeshDimension;

/** Shows which rank is on which node and where it stands on the mesh. */
public final class RankGrid {

    private static final int MOST_LINES = 256;

    private RankGrid() {}

    /**
     * A table with a line for each rank.
     *
     * @param mesh the mesh
     * @param topology the nodes
     * @return its lines, a heading first
     */
    public static List<String> render(Mesh mesh, Topology topology) {
        var heading = new StringBuilder("rank  node");
        mesh.dimensions().forEach(dimension -> heading.append("  ").append(pad(dimension.name())));
        var lines = new ArrayList<String>();
        lines.add(heading.toString().stripTrailing());
        for (int rank = 0; rank < Math.min(mesh.ranks(), MOST_LINES); rank++) {
            var line = new StringBuilder("%-4d  %-4d".formatted(rank, topology.nodeOf(rank)));
            for (MeshDimension dimension : mesh.dimensions()) {
                line.append("  ")
                        .append(("%-" + pad(dimension.name()).length() + "d").formatted(mesh.coordinate(rank, dimension)));
            }
            lines.add(line.toString().stripTrailing());
        }
        if (mesh.ranks() > MOST_LINES) {
            lines.add("… and " + (mesh.ranks() - MOST_LINES) + " more ranks");
        }
        return lines;
    }

    private static String pad(String name) {
        return "%-3s".formatted(name);
    }

    /** Says so if ranks that differ in the innermost dimension only, which talk most, are on different nodes. */
    static Optional<String> crossing(Mesh mesh, Topology topology) {
        for (int i = mesh.dimensions().size() - 1; i >= 0; i--) {
            if (mesh.sizes().get(i) > 1) {
                MeshDimension innermost = mesh.dimensions().get(i);
                for (int rank = 0; rank < mesh.ranks(); rank++) {
                    int first = mesh.neighbour(rank, innermost, 0);
                    if (topology.nodeOf(first) != topology.nodeOf(rank)) {
                        return Optional.of("dimension " + innermost + " goes over the network: rank " + first + " is on node "
                                + topology.nodeOf(first) + " and rank " + rank + " on node " + topology.nodeOf(rank)
                                + "; it is faster with at most " + topology.ranksHere() + " ranks along " + innermost);
                    }
                }
                return Optional.empty();
            }
        }
        return Optional.empty();
    }
}
