package org.maniple.moe.ep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class EplbTest {

    private static final double[] LAYER_0 = {90, 132, 40, 61, 104, 165, 39, 4, 73, 56, 183, 86};
    private static final double[] LAYER_1 = {20, 107, 104, 64, 19, 197, 187, 157, 172, 86, 16, 27};

    /** The example of the README of DeepSeek's EPLB. */
    @Test
    void hierarchicalGivesTheReferencesResult() {
        assertThat(Eplb.rebalance(LAYER_0, 16, 4, 2, 8)).containsExactly(5, 6, 5, 7, 8, 4, 3, 4, 10, 9, 10, 2, 0, 1, 11, 1);
        assertThat(Eplb.rebalance(LAYER_1, 16, 4, 2, 8)).containsExactly(7, 10, 6, 8, 6, 11, 8, 9, 2, 4, 5, 1, 5, 0, 3, 1);
    }

    @Test
    void globalIsTakenWhereGroupsCannotBeDealtToNodes() {
        assertThat(Eplb.rebalance(LAYER_0, 16, 3, 2, 8)).containsExactly(10, 6, 10, 7, 0, 2, 11, 4, 5, 9, 5, 4, 8, 3, 1, 1);
        assertThat(Eplb.rebalance(LAYER_1, 16, 3, 2, 8)).containsExactly(1, 10, 2, 4, 5, 11, 5, 0, 6, 7, 6, 3, 8, 8, 9, 7);
    }

    @Test
    void whatCannotBeDealtEvenlyIsRefusedWithBothNumbers() {
        assertThatThrownBy(() -> Eplb.rebalance(LAYER_0, 15, 4, 2, 8)).hasMessage("15 replicas cannot be dealt evenly to 8 GPUs");
        assertThatThrownBy(() -> Eplb.rebalance(LAYER_0, 16, 4, 3, 8))
                .hasMessage("8 GPUs are not equally many on each of 3 nodes");
        assertThatThrownBy(() -> Eplb.rebalance(LAYER_0, 16, 5, 2, 8))
                .hasMessage("12 experts cannot be dealt evenly to 5 groups");
        assertThatThrownBy(() -> Eplb.rebalance(LAYER_0, 8, 4, 2, 8)).hasMessage("8 replicas are too few for 12 experts");
        assertThatThrownBy(() -> Eplb.rebalance(new double[] {1, -1}, 2, 1, 1, 2)).hasMessage("the load of expert 1 is -1.0");
        assertThatThrownBy(() -> Eplb.rebalance(new double[] {Double.NaN, 1}, 2, 1, 1, 2))
                .hasMessage("the load of expert 0 is NaN");
    }

    @Test
    void equalLoadsStayInOrder() {
        assertThat(Eplb.rebalance(new double[] {1, 1, 1, 1, 1, 1}, 6, 1, 1, 3)).containsExactly(0, 3, 1, 4, 2, 5);
        assertThat(Eplb.rebalance(new double[4], 8, 1, 1, 2)).hasSize(8);
    }

    @Test
    void everyExpertIsThereAndNoGpuLeavesASlotEmpty() {
        var random = new Random(3);
        for (int round = 0; round < 500; round++) {
            Case given = Case.random(random);
            int[] slots = Eplb.rebalance(given.loads, given.replicas, given.groups, given.nodes, given.gpus);

            assertThat(slots).hasSize(given.replicas);
            assertThat(Arrays.stream(slots).distinct().sorted().toArray())
                    .containsExactly(IntStream.range(0, given.loads.length).toArray());
        }
    }

    @Test
    void theExpertsOfAGroupStayOnOneNode() {
        var random = new Random(4);
        for (int round = 0; round < 500; round++) {
            Case given = Case.random(random);
            if (given.groups % given.nodes == 0) {
                int[] slots = Eplb.rebalance(given.loads, given.replicas, given.groups, given.nodes, given.gpus);
                int[] nodeOfGroup = new int[given.groups];
                Arrays.fill(nodeOfGroup, -1);
                for (int slot = 0; slot < slots.length; slot++) {
                    int group = slots[slot] / (given.loads.length / given.groups);
                    int node = slot / (given.replicas / given.nodes);
                    assertThat(nodeOfGroup[group]).isIn(-1, node);
                    nodeOfGroup[group] = node;
                }
            }
        }
    }

    @Test
    void findsTheSameAsANaiveAlgorithm() {
        var random = new Random(5);
        for (int round = 0; round < 2000; round++) {
            Case given = Case.random(random);
            assertThat(Eplb.rebalance(given.loads, given.replicas, given.groups, given.nodes, given.gpus)).as("%s", given)
                    .containsExactly(naive(given).stream().mapToInt(Integer::intValue).toArray());
        }
    }

    private record Case(double[] loads, int replicas, int groups, int nodes, int gpus) {
        static Case random(Random random) {
            int nodes = 1 + random.nextInt(3);
            int gpus = nodes * (1 + random.nextInt(4));
            int groups = 1 + random.nextInt(6);
            int experts = groups * (1 + random.nextInt(6));
            int replicas = Math.ceilDiv(experts, gpus) * gpus + gpus * random.nextInt(3);
            // Few different loads, so that there are ties.
            double[] loads = random.doubles(experts).map(load -> Math.floor(load * 5) * (random.nextInt(4) == 0 ? 40 : 1))
                    .toArray();
            return new Case(loads, replicas, groups, nodes, gpus);
        }

        @Override
        public String toString() {
            return Arrays.toString(loads) + " " + replicas + " " + groups + " " + nodes + " " + gpus;
        }
    }

    private record Item(int expert, double load) {}

    /** Written from the description alone, with lists of lists: groups to nodes, replicas on each node, replicas to GPUs. */
    private static List<Integer> naive(Case given) {
        int groups = given.groups % given.nodes == 0 ? given.groups : 1;
        int nodes = given.groups % given.nodes == 0 ? given.nodes : 1;
        int size = given.loads.length / groups;
        var groupItems = new ArrayList<Item>();
        for (int group = 0; group < groups; group++) {
            groupItems.add(new Item(group, Arrays.stream(given.loads, group * size, (group + 1) * size).sum()));
        }
        var slots = new ArrayList<Integer>();
        for (List<Item> node : packed(groupItems, nodes)) {
            var experts = new ArrayList<Item>();
            for (Item group : node) {
                for (int i = 0; i < size; i++) {
                    experts.add(new Item(group.expert * size + i, given.loads[group.expert * size + i]));
                }
            }
            for (List<Item> gpu : packed(replicated(experts, given.replicas / nodes), given.gpus / nodes)) {
                gpu.forEach(item -> slots.add(item.expert));
            }
        }
        return slots;
    }

    private static List<Item> replicated(List<Item> experts, int slots) {
        var chosen = new ArrayList<>(experts);
        while (chosen.size() < slots) {
            Item best = experts.getFirst();
            for (Item expert : experts) {
                if (expert.load / count(chosen, expert) > best.load / count(chosen, best)) {
                    best = expert;
                }
            }
            chosen.add(best);
        }
        return chosen.stream().map(item -> new Item(item.expert, item.load / count(chosen, item))).toList();
    }

    private static long count(List<Item> items, Item item) {
        return items.stream().filter(other -> other.expert == item.expert).count();
    }

    private static List<List<Item>> packed(List<Item> items, int packs) {
        var result = new ArrayList<List<Item>>();
        IntStream.range(0, packs).forEach(i -> result.add(new ArrayList<>()));
        int room = items.size() / packs;
        if (room == 1) {
            IntStream.range(0, packs).forEach(i -> result.get(i).add(items.get(i)));
            return result;
        }
        var left = new ArrayList<>(items);
        while (!left.isEmpty()) {
            Item heaviest = left.getFirst();
            for (Item item : left) {
                heaviest = item.load > heaviest.load ? item : heaviest;
            }
            left.remove(heaviest);
            List<Item> lightest = null;
            for (List<Item> pack : result) {
                if (pack.size() < room && (lightest == null || sum(pack) < sum(lightest))) {
                    lightest = pack;
                }
            }
            if (lightest == null) {
                throw new IllegalStateException("no room");
            }
            lightest.add(heaviest);
        }
        return result;
    }

    private static double sum(List<Item> pack) {
        double sum = 0;
        for (Item item : pack) {
            sum += item.load;
        }
        return sum;
    }
}
