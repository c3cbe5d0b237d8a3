package org.maniple.parallel.pp;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;
import org.maniple.api.config.Problem;
import org.maniple.api.config.Settings;
import org.maniple.api.graph.Axes;
import org.maniple.api.mesh.AxisRule;
import org.maniple.api.mesh.MeshDimension;
import org.maniple.api.mesh.Parallelism;
import org.maniple.api.mesh.PlanRequest;

/** Pipeline parallelism: consecutive layers form stages, which hidden states pass one after the other. */
public final class PipelineParallelism implements Parallelism {

    static final String SIZE = "pipeline-parallel-size";
    static final String PARTITION = "pipeline-layer-partition";
    static final String WEIGHTS = "pipeline-parallel-weights";

    private static final MeshDimension PP = new MeshDimension("pp", 200);

    @Override
    public String name() {
        return "pipeline";
    }

    @Override
    public List<Option> options() {
        return List.of(
                Option.of(SIZE, OptionType.INTEGER, "Number of stages that the layers are spread over.").withDefault("1")
                        .withMinimum(1)
                        .withAliases("--pp", "--pp-size", "-pp"),
                Option.of(PARTITION, OptionType.INTEGERS, "Layers of each stage, exactly: 15,15,16,15.").withMinimum(1),
                Option.of(WEIGHTS, OptionType.NUMBERS,
                        "How much of the layers' cost each stage takes, relative to the others: 1,1.5. Not used with a partition."));
    }

    @Override
    public List<MeshDimension> dimensions() {
        return List.of(PP);
    }

    @Override
    public int size(MeshDimension dimension, Settings settings) {
        return settings.integer(SIZE);
    }

    @Override
    public List<AxisRule> rules(Settings settings) {
        return List.of(new AxisRule(Axes.LAYERS, List.of(PP),
                new StageSplitter(settings.integers(PARTITION), settings.numbers(WEIGHTS))));
    }

    @Override
    public List<Map<String, String>> candidates(PlanRequest request) {
        return request.sizes().stream().map(size -> Map.of(SIZE, Integer.toString(size))).toList();
    }

    @Override
    public List<Problem> problems(Settings settings) {
        int size = settings.integer(SIZE);
        List<Integer> partition = settings.integers(PARTITION);
        List<Double> weights = settings.numbers(WEIGHTS);
        var problems = new ArrayList<Problem>();
        if (!partition.isEmpty() && partition.size() != size) {
            problems.add(new Problem(PARTITION, StageSplitter.wrongLength(partition.size(), size)));
        }
        if (!partition.isEmpty() && !weights.isEmpty()) {
            problems.add(new Problem(WEIGHTS, "contradicts " + PARTITION + ", which is also given; give one of them"));
        }
        StageSplitter.weightProblem(weights, size).ifPresent(text -> problems.add(new Problem(WEIGHTS, text)));
        return problems;
    }
}
