package org.maniple.api.mesh;

import java.util.ArrayList;
import java.util.List;

/**
 * The ranks of a unit, arranged in dimensions. Ranks are numbered from 0, the innermost dimension fastest.
 *
 * @param dimensions outermost first
 * @param sizes ranks along each dimension, at least 1
 */
public record Mesh(List<MeshDimension> dimensions, List<Integer> sizes) {

    /** Copies the lists and checks that they fit. */
    public Mesh {
        dimensions = List.copyOf(dimensions);
        sizes = List.copyOf(sizes);
        if (dimensions.size() != sizes.size() || sizes.stream().anyMatch(size -> size < 1)) {
            throw new IllegalArgumentException("mesh " + dimensions + " of sizes " + sizes);
        }
    }

    /**
     * The number of ranks.
     *
     * @return the product of all sizes
     */
    public int ranks() {
        return sizes.stream().reduce(1, Math::multiplyExact);
    }

    /**
     * Ranks along a dimension.
     *
     * @param dimension any dimension
     * @return its size; 1 if the mesh has no such dimension
     */
    public int size(MeshDimension dimension) {
        int index = dimensions.indexOf(dimension);
        return index < 0 ? 1 : sizes.get(index);
    }

    /**
     * Where a rank stands along a dimension.
     *
     * @param rank from 0 to {@link #ranks()}
     * @param dimension any dimension
     * @return its coordinate; 0 if the mesh has no such dimension
     */
    public int coordinate(int rank, MeshDimension dimension) {
        int rest = rank;
        for (int i = dimensions.size() - 1; i >= 0; i--) {
            int coordinate = rest % sizes.get(i);
            if (dimensions.get(i).equals(dimension)) {
                return coordinate;
            }
            rest /= sizes.get(i);
        }
        return 0;
    }

    /**
     * The rank that stands where another one does, but for one dimension.
     *
     * @param rank a rank
     * @param dimension a dimension of the mesh
     * @param coordinate the coordinate along that dimension
     * @return the rank there
     */
    public int neighbour(int rank, MeshDimension dimension, int coordinate) {
        int stride = 1;
        for (int i = dimensions.size() - 1; i >= 0 && !dimensions.get(i).equals(dimension); i--) {
            stride *= sizes.get(i);
        }
        return rank + (coordinate - coordinate(rank, dimension)) * stride;
    }

    /**
     * The ranks that differ from a rank in some dimensions only.
     *
     * @param rank a rank, which is among them
     * @param over the dimensions in which they may differ
     * @return ascending
     */
    public List<Integer> group(int rank, List<MeshDimension> over) {
        var group = new ArrayList<Integer>();
        for (int other = 0; other < ranks(); other++) {
            int candidate = other;
            if (dimensions.stream().allMatch(d -> over.contains(d) || coordinate(candidate, d) == coordinate(rank, d))) {
                group.add(other);
            }
        }
        return group;
    }
}
