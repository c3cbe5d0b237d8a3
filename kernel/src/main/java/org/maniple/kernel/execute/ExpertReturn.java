package org.maniple.kernel.execute;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.maniple.api.collective.Communicator;
import org.maniple.api.compute.Kernel;
import org.maniple.api.mesh.ExpertPlacement;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.PairRows;
import org.maniple.api.tensor.Tensor;
import org.maniple.kernel.program.TokenSplit;
import org.maniple.kernel.step.StepBatch;
import org.maniple.kernel.step.StepView;

/**
 * Sends every row of this rank's experts to the rank where its token lives, which sums them in the order of the experts. Both sides know which rows go,
 * and in which order (by token, then choice), from the choices and the placement: only the rows themselves travel.
 */
final class ExpertReturn implements Exchanging {

    /**
     * What it works on.
     *
     * @param table where the experts are
     * @param positions the position in the group of each part of the placement
     * @param homes which tokens live on each rank of the group
     * @param pairs the computed rows
     * @param tokensOf which tokens the numbers in {@code pairs} are counted among
     * @param ids the choices of the tokens that live here
     * @param returned receives rows, ragged, with a slot for each rank of the group
     */
    record Binding(ExpertTable table, int[] positions, List<TokenSplit> homes, Tensor pairs, TokenSplit tokensOf, Tensor ids,
            Tensor returned) {}

    private final Binding bound;
    private final Communicator communicator;
    private final Communicator.Group group;
    private final CurrentBatch current;
    private final Kernel sum;
    private final RowSlices out;
    private final RowSlices in;
    private final MemorySegment outgoing;
    private final long[] outBytes;
    private final long[] inBytes;
    private final int[] first;
    private final int[] end;
    private final int[] order;
    private Communicator.Begun begun = Communicator.Begun.OVER;

    ExpertReturn(Binding bound, Communicator communicator, Communicator.Group group, CurrentBatch current, Kernel sum,
            MemorySegment outgoing) {
        this.bound = bound;
        this.communicator = communicator;
        this.group = group;
        this.current = current;
        this.sum = sum;
        this.outgoing = outgoing;
        long rowBytes = 4L * bound.pairs().width();
        this.out = new RowSlices(outgoing, rowBytes, bound.pairs().extent(0));
        this.in = new RowSlices(bound.returned().segment(), rowBytes, bound.returned().extent(0));
        this.outBytes = new long[group.size()];
        this.inBytes = new long[group.size()];
        this.first = new int[group.size()];
        this.end = new int[group.size()];
        this.order = new int[bound.returned().extent(0)];
    }

    @Override
    public void begin(Step step) {
        int sent = pack();
        int received = expect(step);
        begun = communicator.beginAllToAll(group, out.first(sent), outBytes, in.first(received), inBytes);
    }

    @Override
    public void end(Step step) {
        begun.end();
        sum.run(step);
    }

    /** Copies rows in the order in which their homes expect them; how many there are. */
    private int pack() {
        StepBatch batch = current.batch();
        PairRows rows = bound.pairs().pairs();
        int offset = StepView.tokenFrom(batch, bound.tokensOf());
        long rowBytes = 4L * bound.pairs().width();
        int count = 0;
        for (int peer = 0; peer < group.size(); peer++) {
            int before = count;
            int from = StepView.tokenFrom(batch, bound.homes().get(peer));
            int to = StepView.tokenTo(batch, bound.homes().get(peer));
            for (int token = Math.max(0, from - offset); token < Math.min(to - offset, rows.tokens()); token++) {
                for (int choice = 0; choice < rows.choices(); choice++) {
                    int row = rows.row(token, choice);
                    if (row >= 0) {
                        MemorySegment.copy(bound.pairs().segment(), row * rowBytes, outgoing, count++ * rowBytes, rowBytes);
                    }
                }
            }
            outBytes[peer] = (count - before) * rowBytes;
        }
        return count;
    }

    /** Which rows come from which rank; how many there are. */
    private int expect(Step step) {
        Arrays.fill(end, 0);
        int choices = bound.ids().width();
        for (int token = 0; token < step.tokens(); token++) {
            for (int choice = 0; choice < choices; choice++) {
                end[owner(step, token, choice)]++;
            }
        }
        long rowBytes = 4L * bound.returned().width();
        int count = 0;
        for (int peer = 0; peer < end.length; peer++) {
            inBytes[peer] = end[peer] * rowBytes;
            first[peer] = count;
            count += end[peer];
            end[peer] = first[peer];
        }
        for (int token = 0; token < step.tokens(); token++) {
            for (int choice = 0; choice < choices; choice++) {
                order[end[owner(step, token, choice)]++] = token * choices + choice;
            }
        }
        PairRows rows = bound.returned().pairs();
        rows.begin(step.tokens());
        for (int peer = 0; peer < end.length; peer++) {
            for (int i = first[peer]; i < end[peer]; i++) {
                rows.add(peer, order[i] / choices, order[i] % choices);
            }
        }
        rows.end();
        return count;
    }

    private int owner(Step step, int token, int choice) {
        ExpertPlacement placement = bound.table().placement();
        int expert = bound.ids().segment().get(JAVA_INT_UNALIGNED, 4L * ((long) token * bound.ids().width() + choice));
        int replica = placement.replicaFor(expert, step.position(token));
        return bound.positions()[placement.part(expert, replica)];
    }
}
