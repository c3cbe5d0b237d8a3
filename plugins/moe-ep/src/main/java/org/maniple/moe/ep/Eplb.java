package org.maniple.moe.ep;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * The algorithm of DeepSeek's expert-parallel load balancer: replicas for the experts with the greatest loads, packed so that GPUs have nearly equal
 * loads. In its hierarchical form the experts of a group stay on one node. Ties are decided by order, so that all ranks find the same.
 */
final class Eplb {

    private Eplb() {}

    /**
     * Which expert is in which slot.
     *
     * @param loads of each expert; none is negative
     * @param replicas slots of all GPUs: at least one for each expert, and equally many on each GPU
     * @param groups equally large groups of experts that follow each other
     * @param nodes machines; where the groups can be dealt to them evenly, each group stays on one, otherwise nodes are of no account
     * @param gpus equally many on each node
     * @return for each slot its expert; the slots of a GPU follow each other, and so do the GPUs of a node
     */
    static int[] rebalance(double[] loads, int replicas, int groups, int nodes, int gpus) {
        check(loads, replicas, groups, nodes, gpus);
        return groups % nodes == 0
                ? onNodes(loads, replicas, groups, nodes, gpus)
                : onNodes(loads, replicas, 1, 1, gpus);
    }

    private static void check(double[] loads, int replicas, int groups, int nodes, int gpus) {
        require(groups > 0 && nodes > 0 && gpus > 0, "there must be at least one group, node and GPU");
        require(replicas % gpus == 0, replicas + " replicas cannot be dealt evenly to " + gpus + " GPUs");
        require(gpus % nodes == 0, gpus + " GPUs are not equally many on each of " + nodes + " nodes");
        require(loads.length % groups == 0, loads.length + " experts cannot be dealt evenly to " + groups + " groups");
        require(replicas >= loads.length, replicas + " replicas are too few for " + loads.length + " experts");
        for (int expert = 0; expert < loads.length; expert++) {
            require(loads[expert] >= 0 && loads[expert] < Double.POSITIVE_INFINITY,
                    "the load of expert " + expert + " is " + loads[expert]);
        }
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalArgumentException(otherwise);
        }
    }

    private static int[] onNodes(double[] loads, int replicas, int groups, int nodes, int gpus) {
        int[] order = dealtToNodes(loads, groups, nodes);
        int expertsOfNode = loads.length / nodes;
        int slotsOfNode = replicas / nodes;
        int[] slots = new int[replicas];
        for (int node = 0; node < nodes; node++) {
            int[] experts = Arrays.copyOfRange(order, node * expertsOfNode, (node + 1) * expertsOfNode);
            double[] own = Arrays.stream(experts).mapToDouble(expert -> loads[expert]).toArray();
            int[] copies = replicate(own, slotsOfNode);
            int[] places = pack(shares(own, copies), gpus / nodes);
            for (int i = 0; i < slotsOfNode; i++) {
                slots[node * slotsOfNode + places[i]] = experts[copies[i]];
            }
        }
        return slots;
    }

    /** The experts in an order in which those of a node follow each other. */
    private static int[] dealtToNodes(double[] loads, int groups, int nodes) {
        int size = loads.length / groups;
        double[] groupLoads = new double[groups];
        for (int expert = 0; expert < loads.length; expert++) {
            groupLoads[expert / size] += loads[expert];
        }
        int[] places = pack(groupLoads, nodes);
        int[] order = new int[loads.length];
        for (int expert = 0; expert < loads.length; expert++) {
            order[places[expert / size] * size + expert % size] = expert;
        }
        return order;
    }

    /** Every expert once, in order, then again and again the one with the greatest load for each of its replicas. */
    private static int[] replicate(double[] loads, int slots) {
        int[] copies = new int[slots];
        int[] counts = new int[loads.length];
        for (int i = 0; i < slots; i++) {
            copies[i] = i < loads.length ? i : busiest(loads, counts);
            counts[copies[i]]++;
        }
        return copies;
    }

    private static int busiest(double[] loads, int[] counts) {
        int busiest = 0;
        for (int expert = 1; expert < loads.length; expert++) {
            if (loads[expert] / counts[expert] > loads[busiest] / counts[busiest]) {
                busiest = expert;
            }
        }
        return busiest;
    }

    private static double[] shares(double[] loads, int[] copies) {
        int[] counts = new int[loads.length];
        for (int expert : copies) {
            counts[expert]++;
        }
        return Arrays.stream(copies).mapToDouble(expert -> loads[expert] / counts[expert]).toArray();
    }

    /**
     * Gives items, the greatest first, to the pack with the smallest load that still has room; all packs get equally many.
     *
     * @return for each item its pack × items of a pack + its place in the order of arrival there
     */
    static int[] pack(double[] loads, int packs) {
        int room = loads.length / packs;
        int[] places = new int[loads.length];
        if (room == 1) {
            Arrays.setAll(places, i -> i);
            return places;
        }
        double[] packed = new double[packs];
        int[] filled = new int[packs];
        int[] falling = IntStream.range(0, loads.length).boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> loads[i]).reversed())
                .mapToInt(Integer::intValue).toArray();
        for (int item : falling) {
            int lightest = -1;
            for (int pack = 0; pack < packs; pack++) {
                if (filled[pack] < room && (lightest < 0 || packed[pack] < packed[lightest])) {
                    lightest = pack;
                }
            }
            places[item] = lightest * room + filled[lightest]++;
            packed[lightest] += loads[item];
        }
        return places;
    }
}
