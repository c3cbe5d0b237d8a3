package org.maniple.compute.cpu;

import java.util.Arrays;
import org.maniple.api.ManipleException;
import org.maniple.api.tensor.BlockRows;
import org.maniple.api.tensor.Tensor;

/** Leaves of sums with activations that share a scale: each must have whole blocks. */
final class BlockLeaves {

    private BlockLeaves() {}

    /**
     * Checks that a leaf does not end inside a block of activations.
     *
     * @throws ManipleException that says what can be done about it
     */
    static void check(Tensor weight, int[] leafEnds) {
        BlockRows rows = weight.blockRows().orElseGet(() -> BlockRows.whole(leafEnds[leafEnds.length - 1]));
        for (int i = 0; i < leafEnds.length - 1; i++) {
            if (held(rows, leafEnds[i]) % BlockUnpacker.ACTIVATIONS != 0) {
                throw new ManipleException("numerics [exact]: sums over rows of " + weight + " are cut at "
                        + Arrays.toString(leafEnds) + ", not at multiples of " + BlockUnpacker.ACTIVATIONS
                        + " elements as int8 activations need it; choose activation-dtype f32, or numerics fast");
            }
        }
    }

    /** The held element before which a leaf ends: the one after the last that it has. */
    private static int held(BlockRows rows, int end) {
        for (BlockRows.Run run : rows.runs()) {
            if (end > run.from() && end <= run.from() + run.count()) {
                return run.held() + end - run.from();
            }
        }
        return 0;
    }

    /**
     * Where leaves end, counted in blocks of held elements.
     *
     * @param leafEnds in own elements
     * @return as many; the last one is the number of blocks
     */
    static int[] ends(BlockRows rows, int[] leafEnds) {
        int[] ends = new int[leafEnds.length];
        for (int i = 0; i < ends.length; i++) {
            ends[i] = held(rows, leafEnds[i]) / BlockUnpacker.ACTIVATIONS;
        }
        ends[ends.length - 1] = rows.held() / BlockUnpacker.ACTIVATIONS;
        return ends;
    }
}
