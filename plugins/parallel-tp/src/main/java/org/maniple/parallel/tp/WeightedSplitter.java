package org.maniple.parallel.tp;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.maniple.api.graph.Axes;
import org.maniple.api.mesh.SplitException;
import org.maniple.api.mesh.Splitter;
import org.maniple.api.tensor.UnitList;

/**
 * Deals units by weight; without weights, evenly.
 *
 * @param weights one for each rank, or none
 */
record WeightedSplitter(List<Double> weights) implements Splitter {

    @Override
    public List<UnitList> split(Request request) {
        problem(weights, request.parts()).ifPresent(text -> {
            throw new SplitException(TensorParallelism.WEIGHTS, text);
        });
        if (weights.isEmpty() && request.axis().equals(Axes.HEADS) && request.parts() > request.units()) {
            throw new SplitException(TensorParallelism.SIZE, tooManyRanks(request.units(), request.parts()));
        }
        List<Double> used = weights.isEmpty() ? Shares.equal(request.parts()) : weights;
        return Shares.ranges(Shares.deal(request.units(), used, request.quantum()));
    }

    static Optional<String> problem(List<Double> weights, int size) {
        if (weights.isEmpty()) {
            return Optional.empty();
        }
        if (weights.size() != size) {
            return Optional.of(ListedSplitter.wrongLength(weights.size(), size));
        }
        boolean usable = weights.stream().allMatch(weight -> Double.isFinite(weight) && weight >= 0);
        if (!usable || weights.stream().allMatch(weight -> weight == 0)) {
            return Optional.of(
                    weights + " must be numbers of which none is negative and at least one is greater than 0, for example 1,2");
        }
        return Optional.empty();
    }

    private static String tooManyRanks(int heads, int size) {
        String even = IntStream.rangeClosed(1, heads).filter(n -> heads % n == 0).mapToObj(Integer::toString)
                .collect(Collectors.joining(", "));
        return "Total number of attention heads (" + heads + ") must be at least the tensor parallel size (" + size + "); "
                + (heads == 1 ? "the only valid size is 1" : "valid sizes are 1 to " + heads + ", even splits " + even)
                + "; to let ranks go without heads, give " + TensorParallelism.WEIGHTS + " or " + TensorParallelism.HEADS;
    }
}
