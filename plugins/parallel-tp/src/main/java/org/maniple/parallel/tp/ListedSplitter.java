package org.maniple.parallel.tp;

import java.util.List;
import org.maniple.api.mesh.SplitException;
import org.maniple.api.mesh.Splitter;
import org.maniple.api.tensor.UnitList;

/**
 * Gives each rank as many units as the configuration lists.
 *
 * @param key the configuration key with the list
 * @param counts units of each rank
 */
record ListedSplitter(String key, List<Integer> counts) implements Splitter {

    @Override
    public List<UnitList> split(Request request) {
        if (counts.size() != request.parts()) {
            throw new SplitException(key, wrongLength(counts.size(), request.parts()));
        }
        long sum = counts.stream().mapToLong(Integer::longValue).sum();
        if (sum != request.units()) {
            List<Integer> even = Shares.deal(request.units(), Shares.equal(request.parts()), request.quantum());
            throw new SplitException(key, counts + " adds up to " + sum + ", but the model has " + request.units() + " units of "
                    + request.axis() + "; an even split would be " + even);
        }
        return Shares.ranges(counts);
    }

    static String wrongLength(int listed, int size) {
        return "lists " + listed + " ranks, but " + TensorParallelism.SIZE + " is " + size
                + "; list one number for each rank, or set "
                + TensorParallelism.SIZE + " to " + listed;
    }
}
