package org.maniple.parallel.dp;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.maniple.api.config.Derived;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;
import org.maniple.api.config.Problem;
import org.maniple.api.config.Settings;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Axis;
import org.maniple.api.mesh.AxisRule;
import org.maniple.api.mesh.Mesh;
import org.maniple.api.mesh.MeshDimension;
import org.maniple.api.mesh.Parallelism;
import org.maniple.api.mesh.PlanRequest;
import org.maniple.api.mesh.Splitter;

/**
 * Data parallelism: groups of ranks have sequences of their own. Alone it makes copies of the model behind one rank 0. With
 * {@code enable-dp-attention} only attention is copied, and the feed-forward networks are split over all ranks of a stage, for models whose
 * caches tensor parallelism would have to copy.
 */
public final class DataParallelism implements Parallelism {

    static final String SIZE = "data-parallel-size";
    static final String ATTENTION = "enable-dp-attention";
    static final String LM_HEAD = "enable-dp-lm-head";

    private static final MeshDimension DP = new MeshDimension("dp", 100);
    private static final MeshDimension TP = new MeshDimension("tp", 300);
    private static final Splitter EVENLY = new EvenSplitter();

    @Override
    public String name() {
        return "data";
    }

    @Override
    public int precedence() {
        return 300;
    }

    @Override
    public List<Option> options() {
        var options = new ArrayList<Option>();
        options.add(Option.of(SIZE, OptionType.INTEGER, "Number of groups of ranks with sequences of their own.").withDefault("1")
                .withMinimum(1)
                .withAliases("--dp", "--dp-size", "-dp"));
        options.add(Option.of(ATTENTION, OptionType.BOOLEAN,
                "Copy attention alone, and split feed-forward networks over all ranks of a stage; --tp then counts these.")
                .withDefault("false"));
        options.add(Option.of(LM_HEAD, OptionType.BOOLEAN,
                "With enable-dp-attention: every group computes the logits of its own sequences.").withDefault("false"));
        options.addAll(ReplicaPlace.OPTIONS);
        return List.copyOf(options);
    }

    @Override
    public List<MeshDimension> dimensions() {
        return List.of(DP);
    }

    @Override
    public int size(MeshDimension dimension, Settings settings) {
        return settings.integer(SIZE);
    }

    @Override
    public List<AxisRule> rules(Settings settings) {
        var rules = new ArrayList<AxisRule>();
        // Which tokens a group has follows from the step; a split of their numbers is never used.
        rules.add(new AxisRule(Axes.SEQS, List.of(DP), EVENLY));
        if (settings.flag(ATTENTION)) {
            rules.add(everywhere(Axes.FFN));
            rules.add(everywhere(Axes.EXPERT_FFN));
            if (!settings.flag(LM_HEAD)) {
                rules.add(everywhere(Axes.VOCAB));
            }
        }
        return rules;
    }

    private static AxisRule everywhere(Axis axis) {
        return new AxisRule(axis, List.of(DP, TP), EVENLY);
    }

    @Override
    public List<Derived> derive(Settings settings) {
        var derived = new ArrayList<Derived>();
        StageCount.of(settings).flatMap(StageCount::derived).ifPresent(derived::add);
        derived.addAll(new ReplicaPlace(settings).derived());
        return derived;
    }

    @Override
    public Optional<String> otherReading(Mesh mesh, Settings settings) {
        int dp = mesh.size(DP);
        int tp = mesh.size(TP);
        if (dp == 1 || tp == 1 || settings.flag(ATTENTION) || tp % dp != 0) {
            return Optional.empty();
        }
        return Optional.of("did you mean --enable-dp-attention? Without it there are " + dp + " copies of " + tp
                + " ranks per stage; with it --tp " + tp + " counts all ranks of a stage, of which " + dp + " groups of "
                + tp / dp + " have sequences of their own");
    }

    @Override
    public List<Map<String, String>> candidates(PlanRequest request) {
        var ways = new ArrayList<Map<String, String>>();
        for (int size : request.sizes()) {
            ways.add(Map.of(SIZE, Integer.toString(size), ATTENTION, "false"));
            if (size > 1) {
                ways.add(Map.of(SIZE, Integer.toString(size), ATTENTION, "true"));
            }
        }
        return ways;
    }

    @Override
    public List<Problem> problems(Settings settings) {
        var problems = new ArrayList<Problem>();
        int size = settings.integer(SIZE);
        boolean attention = settings.flag(ATTENTION);
        if (settings.flag(LM_HEAD) && !attention) {
            problems.add(new Problem(LM_HEAD, "it is about data-parallel attention, which is off; give " + ATTENTION
                    + " too, or leave it out"));
        }
        if (attention && size == 1) {
            problems.add(new Problem(ATTENTION, "it needs several groups of ranks, but " + SIZE + " is 1; give " + SIZE
                    + " 2 or more, or leave it out"));
        }
        if (attention) {
            StageCount.of(settings).flatMap(StageCount::problem).ifPresent(problems::add);
            problems.addAll(uneven(settings));
        }
        problems.addAll(new ReplicaPlace(settings).problems());
        return problems;
    }

    /** Shares for the ranks of one group, of something that all groups share now. */
    private static List<Problem> uneven(Settings settings) {
        var keys = new ArrayList<>(List.of("tensor-parallel-weights", "tensor-parallel-ffn"));
        if (!settings.flag(LM_HEAD)) {
            keys.add("tensor-parallel-vocab");
        }
        return keys.stream().filter(key -> settings.declared(key) && settings.given(key))
                .map(key -> new Problem(key, "it deals shares to the ranks of one group, but with " + ATTENTION
                        + " all groups share these layers, evenly; leave one of the two out"))
                .toList();
    }
}
