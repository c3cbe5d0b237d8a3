package org.maniple.kernel.balance;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.function.LongFunction;
import org.maniple.api.collective.Communicator;

/** Adds counts over the ranks that share experts, exactly. */
@FunctionalInterface
public interface LoadSums {

    /**
     * Adds; all ranks call it between the same two steps.
     *
     * @param loads on entry this rank's, on return the sums
     */
    void add(long[] loads);

    /**
     * Sums over a group of ranks: everyone's counts go to everyone, since sums of floats would round.
     *
     * @param communicator reaches them
     * @param group the ranks
     * @param size how many counts there are
     * @param memory is asked for memory, once
     * @return the sums
     */
    static LoadSums over(Communicator communicator, Communicator.Group group, int size, LongFunction<MemorySegment> memory) {
        long bytes = (long) size * Long.BYTES;
        MemorySegment mine = memory.apply(bytes);
        MemorySegment all = memory.apply(Math.multiplyExact(bytes, group.size()));
        long[] parts = new long[group.size()];
        Arrays.fill(parts, bytes);
        return loads -> {
            MemorySegment.copy(loads, 0, mine, JAVA_LONG, 0, size);
            communicator.allGather(group, mine, parts, all);
            for (int i = 0; i < size; i++) {
                long sum = 0;
                for (int rank = 0; rank < parts.length; rank++) {
                    sum += all.getAtIndex(JAVA_LONG, (long) rank * size + i);
                }
                loads[i] = sum;
            }
        };
    }
}
