package org.maniple.api.mesh;

import java.util.Arrays;
import java.util.List;

/**
 * Which rank has which routed experts of a layer in which of its slots. An expert may be in several slots, of one rank or of several
 * (<em>redundant</em> experts): then its tokens are dealt over them. Ranks are counted as <em>parts</em>: by their coordinates along the
 * dimensions of the rule about experts, the first dimension outermost. Immutable.
 */
public final class ExpertPlacement {

    private final int experts;
    private final int[][] slots;
    /** For each expert its places in ascending order, as part and slot in turn. */
    private final int[][] places;

    /**
     * A placement.
     *
     * @param experts how many routed experts there are
     * @param slots for each part the experts in its slots
     * @throws IllegalArgumentException if an expert is nowhere, or a number is none of an expert
     */
    public ExpertPlacement(int experts, List<List<Integer>> slots) {
        this.experts = experts;
        this.slots = slots.stream().map(part -> part.stream().mapToInt(Integer::intValue).toArray()).toArray(int[][]::new);
        int[] counts = new int[experts];
        for (int[] part : this.slots) {
            for (int expert : part) {
                if (expert < 0 || expert >= experts) {
                    throw new IllegalArgumentException("there is no expert " + expert + " among " + experts);
                }
                counts[expert]++;
            }
        }
        places = new int[experts][];
        for (int expert = 0; expert < experts; expert++) {
            if (counts[expert] == 0) {
                throw new IllegalArgumentException("expert " + expert + " of " + experts + " is on no rank: " + slots);
            }
            places[expert] = new int[2 * counts[expert]];
        }
        int[] filled = new int[experts];
        for (int part = 0; part < this.slots.length; part++) {
            for (int slot = 0; slot < this.slots[part].length; slot++) {
                int expert = this.slots[part][slot];
                places[expert][filled[expert]++] = part;
                places[expert][filled[expert]++] = slot;
            }
        }
    }

    /**
     * The routed experts.
     *
     * @return how many there are
     */
    public int experts() {
        return experts;
    }

    /**
     * The ranks that experts are spread over.
     *
     * @return how many there are
     */
    public int parts() {
        return slots.length;
    }

    /**
     * The slots of a rank.
     *
     * @param part which rank
     * @return how many it has
     */
    public int slots(int part) {
        return slots[part].length;
    }

    /**
     * What is in a slot.
     *
     * @param part which rank
     * @param slot which of its slots
     * @return the expert
     */
    public int expert(int part, int slot) {
        return slots[part][slot];
    }

    /**
     * In how many slots an expert is.
     *
     * @param expert its number
     * @return at least 1
     */
    public int replicas(int expert) {
        return places[expert].length / 2;
    }

    /**
     * The rank that has a replica.
     *
     * @param expert its number
     * @param replica from 0 to {@link #replicas}
     * @return which rank
     */
    public int part(int expert, int replica) {
        return places[expert][2 * replica];
    }

    /**
     * The slot that a replica is in.
     *
     * @param expert its number
     * @param replica from 0 to {@link #replicas}
     * @return which slot of that rank
     */
    public int slot(int expert, int replica) {
        return places[expert][2 * replica + 1];
    }

    /**
     * Which replica computes a token: the same on all ranks. Nothing but the position decides, so that a request's sums over ranks are formed in the
     * same way whatever else is in its batch and whenever it is asked.
     *
     * @param expert its number
     * @param position the token's position in its sequence
     * @return a replica
     */
    public int replicaFor(int expert, int position) {
        return position % (places[expert].length / 2);
    }

    /**
     * How evenly some loads are spread over the ranks: the mean load of a rank divided by the greatest. Replicas of an expert share its load equally.
     *
     * @param loads how much each expert is used; none is negative
     * @return above 0, 1 if all ranks have the same load or there is none at all
     */
    public double balancedness(double[] loads) {
        double greatest = 0;
        double sum = 0;
        for (int[] part : slots) {
            double load = 0;
            for (int expert : part) {
                load += loads[expert] / replicas(expert);
            }
            greatest = Math.max(greatest, load);
            sum += load;
        }
        return greatest == 0 ? 1 : Math.min(1, sum / slots.length / greatest);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ExpertPlacement placement && experts == placement.experts
                && Arrays.deepEquals(slots, placement.slots);
    }

    @Override
    public int hashCode() {
        return Arrays.deepHashCode(slots);
    }

    /** For example {@code [0, 1, 2, 3] [4, 5, 6, 7]}: the slots of each rank. */
    @Override
    public String toString() {
        var text = new StringBuilder();
        for (int[] part : slots) {
            text.append(text.isEmpty() ? "" : " ").append(Arrays.toString(part));
        }
        return text.toString();
    }
}
