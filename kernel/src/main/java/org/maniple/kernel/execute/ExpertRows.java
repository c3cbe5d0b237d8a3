package org.maniple.kernel.execute;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.maniple.api.compute.Kernel;
import org.maniple.api.mesh.ExpertPlacement;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.PairRows;
import org.maniple.api.tensor.Tensor;

/** Makes the rows of this rank's experts from the tokens that it has, which are all that may need one of them. */
final class ExpertRows implements Kernel {

    private final ExpertTable table;
    private final Tensor x;
    private final Tensor ids;
    private final Tensor pairs;
    private final int choices;
    /** For each choice of each token the slot here, or -1; then the choices by slot. */
    private final int[] slots;
    private final int[] ordered;
    private final int[] next;

    ExpertRows(ExpertTable table, Tensor x, Tensor ids, Tensor pairs) {
        this.table = table;
        this.x = x;
        this.ids = ids;
        this.pairs = pairs;
        this.choices = ids.width();
        this.slots = new int[Math.multiplyExact(ids.extent(0), choices)];
        this.ordered = new int[slots.length];
        this.next = new int[pairs.pairs().slots() + 1];
    }

    @Override
    public void run(Step step) {
        int tokens = step.tokens();
        findSlots(step, tokens);
        PairRows rows = pairs.pairs();
        rows.begin(tokens);
        int count = sortBySlot(tokens * choices);
        for (int i = 0; i < count; i++) {
            int choice = ordered[i];
            rows.add(slots[choice], choice / choices, choice % choices);
        }
        rows.end();
        long bytes = 4L * x.width();
        for (int row = 0; row < count; row++) {
            MemorySegment.copy(x.segment(), rows.token(row) * bytes, pairs.segment(), row * bytes, bytes);
        }
        for (int slot = 0; slot < rows.slots(); slot++) {
            table.count(slot, rows.start(slot + 1) - rows.start(slot));
        }
    }

    private void findSlots(Step step, int tokens) {
        ExpertPlacement placement = table.placement();
        for (int token = 0; token < tokens; token++) {
            int position = step.position(token);
            for (int i = 0; i < choices; i++) {
                int at = token * choices + i;
                int expert = ids.segment().get(JAVA_INT_UNALIGNED, 4L * at);
                int replica = placement.replicaFor(expert, position);
                slots[at] = placement.part(expert, replica) == table.part() ? placement.slot(expert, replica) : -1;
            }
        }
    }

    /** Counting sort, which keeps the order of the tokens within a slot. */
    private int sortBySlot(int count) {
        Arrays.fill(next, 0);
        for (int i = 0; i < count; i++) {
            if (slots[i] >= 0) {
                next[slots[i] + 1]++;
            }
        }
        for (int slot = 1; slot < next.length; slot++) {
            next[slot] += next[slot - 1];
        }
        int found = next[next.length - 1];
        for (int i = 0; i < count; i++) {
            if (slots[i] >= 0) {
                ordered[next[slots[i]]++] = i;
            }
        }
        return found;
    }
}
