package org.maniple.kernel.plan;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.maniple.kernel.program.Instruction;
import org.maniple.kernel.program.MeshProgram;
import org.maniple.kernel.program.ProgramListing;

/**
 * What the ranks of a program send for a token.
 *
 * @param bytes of a rank, added up over the stages
 * @param bytesBetweenNodes the part that goes from node to node, wherever a group has ranks on several
 * @param exchanges within nodes
 * @param exchangesBetweenNodes the others
 */
record Traffic(long bytes, long bytesBetweenNodes, int exchanges, int exchangesBetweenNodes) {

    /** By the formulas of the listing; whole rows of logits and of the hidden state are left out, since few requests want them. */
    static Traffic of(MeshProgram program, List<Integer> ranksPerNode) {
        var nodes = new Nodes(program, ranksPerNode);
        var listing = new ProgramListing(program);
        long bytes = 0;
        long between = 0;
        int near = 0;
        int far = 0;
        for (int i = 0; i < program.code().size(); i++) {
            Instruction instruction = program.code().get(i);
            long sent = instruction.need() != Instruction.Need.ALWAYS ? 0 : listing.bytes(instruction);
            if (sent > 0) {
                boolean crosses = nodes.crosses(instruction, program.stageOf(i));
                bytes += sent;
                between += crosses ? sent : 0;
                near += crosses ? 0 : 1;
                far += crosses ? 1 : 0;
            }
        }
        return new Traffic(bytes, between, near, far);
    }

    /** Which exchanges go from node to node. */
    private static final class Nodes {
        private record Exchange(List<Integer> dimensions, int stage) {}

        private final MeshProgram program;
        private final int[] nodeOf;
        private final Map<Exchange, Boolean> known = new HashMap<>();

        Nodes(MeshProgram program, List<Integer> ranksPerNode) {
            this.program = program;
            this.nodeOf = IntStream.range(0, ranksPerNode.size())
                    .flatMap(node -> IntStream.range(0, ranksPerNode.get(node)).map(i -> node)).toArray();
        }

        boolean crosses(Instruction instruction, int stage) {
            return switch (instruction) {
                case Instruction.Local local -> false;
                case Instruction.Transfer transfer -> ranks(stage)
                        .anyMatch(rank -> nodeOf[rank] != nodeOf[program.peer(rank, stage + 1)]);
                case Instruction.Seam seam -> crosses(seam.dimensions(), stage);
                case Instruction.Dispatch dispatch -> crosses(dispatch.dimensions(), stage);
                case Instruction.Combine combine -> crosses(combine.dimensions(), stage);
            };
        }

        private boolean crosses(List<Integer> dimensions, int stage) {
            return known.computeIfAbsent(new Exchange(dimensions, stage), e -> ranks(stage)
                    .anyMatch(rank -> program.group(rank, e.dimensions()).stream().anyMatch(o -> nodeOf[o] != nodeOf[rank])));
        }

        private IntStream ranks(int stage) {
            return IntStream.range(0, program.mesh().ranks()).filter(rank -> program.stageOfRank(rank) == stage);
        }
    }
}
