package org.maniple.parallel.pp;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.maniple.api.mesh.SplitException;
import org.maniple.api.mesh.Splitter;
import org.maniple.api.tensor.UnitList;

/**
 * Deals consecutive layers to stages, at least one to each: as listed, by weight, or evenly.
 *
 * @param partition layers of each stage, or none
 * @param weights one for each stage, or none
 */
record StageSplitter(List<Integer> partition, List<Double> weights) implements Splitter {

    @Override
    public List<UnitList> split(Request request) {
        int layers = request.units();
        int stages = request.parts();
        if (stages > layers) {
            throw new SplitException(PipelineParallelism.SIZE, "is " + stages + ", but the model has " + layers
                    + " layers and every stage needs one; valid sizes are 1 to " + layers);
        }
        if (!partition.isEmpty()) {
            checkPartition(layers, stages);
            return ranges(partition);
        }
        weightProblem(weights, stages).ifPresent(text -> {
            throw new SplitException(PipelineParallelism.WEIGHTS, text);
        });
        return ranges(weights.isEmpty() ? even(layers, stages) : byCost(request));
    }

    static String wrongLength(int listed, int stages) {
        return "lists " + listed + " stages, but " + PipelineParallelism.SIZE + " is " + stages
                + "; list one number for each stage, or set "
                + PipelineParallelism.SIZE + " to " + listed;
    }

    static Optional<String> weightProblem(List<Double> weights, int stages) {
        if (weights.isEmpty()) {
            return Optional.empty();
        }
        if (weights.size() != stages) {
            return Optional.of(wrongLength(weights.size(), stages));
        }
        return weights.stream().allMatch(weight -> Double.isFinite(weight) && weight > 0)
                ? Optional.empty()
                : Optional.of(weights + " must be positive numbers, for example 1,1.5");
    }

    private void checkPartition(int layers, int stages) {
        if (partition.size() != stages) {
            throw new SplitException(PipelineParallelism.PARTITION, wrongLength(partition.size(), stages));
        }
        long sum = partition.stream().mapToLong(Integer::longValue).sum();
        if (sum != layers || partition.stream().anyMatch(count -> count < 1)) {
            throw new SplitException(PipelineParallelism.PARTITION,
                    partition + " adds up to " + sum + ", but the model has " + layers
                            + " layers, at least one for each stage; an even partition would be " + even(layers, stages));
        }
    }

    /**
     * The remainder goes to the stages before the last, the nearest first, since the last one also has the head; the field's engines
     * do the same.
     */
    private static List<Integer> even(int layers, int stages) {
        var counts = new Integer[stages];
        Arrays.fill(counts, layers / stages);
        for (int i = 0; i < layers % stages; i++) {
            counts[stages - 2 - i]++;
        }
        return List.of(counts);
    }

    /** Each boundary where the cost of the layers before it is nearest to the stages' due, with a layer left for every stage. */
    private List<Integer> byCost(Request request) {
        int layers = request.units();
        double[] before = new double[layers + 1];
        for (int layer = 0; layer < layers; layer++) {
            before[layer + 1] = before[layer] + request.cost().of(layer);
        }
        double totalWeight = weights.stream().mapToDouble(Double::doubleValue).sum();
        var counts = new ArrayList<Integer>();
        int from = 0;
        double weightSoFar = 0;
        for (int stage = 0; stage < request.parts(); stage++) {
            weightSoFar += weights.get(stage);
            int last = layers - (request.parts() - 1 - stage);
            int to = stage == request.parts() - 1
                    ? layers
                    : nearest(before, before[layers] * (weightSoFar / totalWeight), from + 1, last);
            counts.add(to - from);
            from = to;
        }
        return counts;
    }

    private static int nearest(double[] before, double due, int first, int last) {
        int best = first;
        for (int boundary = first + 1; boundary <= last; boundary++) {
            if (Math.abs(before[boundary] - due) < Math.abs(before[best] - due)) {
                best = boundary;
            }
        }
        return best;
    }

    private static List<UnitList> ranges(List<Integer> counts) {
        var lists = new ArrayList<UnitList>();
        int from = 0;
        for (int count : counts) {
            lists.add(UnitList.range(from, from + count));
            from += count;
        }
        return lists;
    }
}
