package org.maniple.kernel.balance;

import java.util.Comparator;
import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.maniple.api.mesh.ExpertBalancer;
import org.maniple.kernel.program.MeshProgram;

/** On how many machines the ranks are that share experts. */
public final class ExpertNodes {

    private ExpertNodes() {}

    /**
     * Asks a balancer about every layer.
     *
     * @param balancer the balancer
     * @param program what all ranks do
     * @param nodeOf the node of each rank
     * @throws org.maniple.api.mesh.SplitException if it cannot rebalance one
     */
    public static void check(ExpertBalancer balancer, MeshProgram program, IntUnaryOperator nodeOf) {
        program.placements().forEach((layer, placement) -> {
            int slots = IntStream.range(0, placement.parts()).map(placement::slots).sum();
            int stage = program.stageOfBlock(layer);
            balancer.check(placement.experts(), slots, placement.parts(), ExpertLayer.groups(program, layer),
                    of(program, stage, nodeOf));
        });
    }

    /**
     * How many machines the ranks of a stage are on.
     *
     * @param program what all ranks do
     * @param stage the stage
     * @param nodeOf the node of each rank
     * @return as {@link ExpertBalancer#check} wants it: 1 if they do not have equally many ranks each, in the order of the parts
     */
    public static int of(MeshProgram program, int stage, IntUnaryOperator nodeOf) {
        List<Integer> nodes = IntStream.range(0, program.mesh().ranks()).boxed()
                .filter(rank -> program.stageOfRank(rank) == stage)
                .sorted(Comparator.comparingInt(program::expertPart)).map(nodeOf::applyAsInt).toList();
        int count = (int) nodes.stream().distinct().count();
        if (nodes.size() % count != 0) {
            return 1;
        }
        int each = nodes.size() / count;
        boolean even = IntStream.range(0, nodes.size()).allMatch(i -> nodes.get(i).equals(nodes.get(i / each * each)));
        return even ? count : 1;
    }
}
