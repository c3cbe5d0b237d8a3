package org.maniple.parallel.tp;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;
import org.maniple.api.config.Problem;
import org.maniple.api.config.Settings;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Axis;
import org.maniple.api.mesh.AxisRule;
import org.maniple.api.mesh.MeshDimension;
import org.maniple.api.mesh.Parallelism;
import org.maniple.api.mesh.PlanRequest;

/** Tensor parallelism: the ranks of a stage share heads, feed-forward columns and vocabulary rows, evenly or not. */
public final class TensorParallelism implements Parallelism {

    static final String SIZE = "tensor-parallel-size";
    static final String WEIGHTS = "tensor-parallel-weights";
    static final String HEADS = "tensor-parallel-heads";
    static final String FFN = "tensor-parallel-ffn";
    static final String VOCAB = "tensor-parallel-vocab";

    private static final MeshDimension TP = new MeshDimension("tp", 300);

    @Override
    public String name() {
        return "tensor";
    }

    @Override
    public List<Option> options() {
        return List.of(
                Option.of(SIZE, OptionType.INTEGER, "Number of ranks that share each layer.").withDefault("1").withMinimum(1)
                        .withAliases("--tp", "--tp-size", "-tp"),
                Option.of(WEIGHTS, OptionType.NUMBERS,
                        "How much of each layer each of these ranks takes, relative to the others: 1,2."),
                Option.of(HEADS, OptionType.INTEGERS,
                        "Query heads of each rank, exactly: 3,2,3. Otherwise they follow the weights.")
                        .withMinimum(0),
                Option.of(FFN, OptionType.INTEGERS, "Columns of the dense feed-forward network of each rank, exactly.")
                        .withMinimum(0),
                Option.of(VOCAB, OptionType.INTEGERS, "Vocabulary rows of each rank, exactly.").withMinimum(0));
    }

    @Override
    public List<MeshDimension> dimensions() {
        return List.of(TP);
    }

    @Override
    public int size(MeshDimension dimension, Settings settings) {
        return settings.integer(SIZE);
    }

    @Override
    public List<AxisRule> rules(Settings settings) {
        List<Double> weights = settings.numbers(WEIGHTS);
        return List.of(
                rule(Axes.HEADS, HEADS, settings, weights),
                rule(Axes.FFN, FFN, settings, weights),
                new AxisRule(Axes.SHARED_FFN, List.of(TP), new WeightedSplitter(weights)),
                new AxisRule(Axes.EXPERT_FFN, List.of(TP), new WeightedSplitter(weights)),
                rule(Axes.VOCAB, VOCAB, settings, weights));
    }

    @Override
    public List<Map<String, String>> candidates(PlanRequest request) {
        return request.sizes().stream().map(size -> Map.of(SIZE, Integer.toString(size))).toList();
    }

    @Override
    public List<Problem> problems(Settings settings) {
        int size = settings.integer(SIZE);
        var problems = new ArrayList<Problem>();
        WeightedSplitter.problem(settings.numbers(WEIGHTS), size).ifPresent(text -> problems.add(new Problem(WEIGHTS, text)));
        for (String key : List.of(HEADS, FFN, VOCAB)) {
            int listed = settings.integers(key).size();
            if (settings.has(key) && listed != size) {
                problems.add(new Problem(key, ListedSplitter.wrongLength(listed, size)));
            }
        }
        return problems;
    }

    private static AxisRule rule(Axis axis, String listKey, Settings settings, List<Double> weights) {
        List<Integer> listed = settings.integers(listKey);
        return new AxisRule(axis, List.of(TP),
                listed.isEmpty() ? new WeightedSplitter(weights) : new ListedSplitter(listKey, listed));
    }
}
