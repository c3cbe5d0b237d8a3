package org.maniple.moe.ep;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Map;
import java.util.Optional;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;
import org.maniple.api.config.Problem;
import org.maniple.api.config.Settings;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Axis;
import org.maniple.api.mesh.AxisRule;
import org.maniple.api.mesh.ExpertBalancer;
import org.maniple.api.mesh.ExpertPlacement;
import org.maniple.api.mesh.Mesh;
import org.maniple.api.mesh.MeshDimension;
import org.maniple.api.mesh.Parallelism;
import org.maniple.api.mesh.PlanRequest;
import org.maniple.api.mesh.SplitException;

/**
 * Expert parallelism: the routed experts of a layer are spread over all ranks that share the layer, those along dp and tp. It has no dimension of
 * its own.
 */
public final class ExpertParallelism implements Parallelism {

    static final String ENABLE = "enable-expert-parallel";
    static final String SIZE = "expert-parallel-size";
    static final String STRATEGY = "expert-placement-strategy";
    static final String FILE = "expert-placement-file";
    static final String REDUNDANT = "num-redundant-experts";
    static final String ROUND_ROBIN = "round_robin";

    /** Equal to the dimensions of the same names that other plugins add. */
    static final MeshDimension DP = new MeshDimension("dp", 100);
    static final MeshDimension TP = new MeshDimension("tp", 300);

    @Override
    public String name() {
        return "expert";
    }

    @Override
    public int precedence() {
        return 400;
    }

    @Override
    public List<Option> options() {
        var options = new ArrayList<>(List.of(
                Option.of(ENABLE, OptionType.BOOLEAN, "Spread the routed experts of each layer over all its ranks (dp × tp).")
                        .withDefault("false").withAliases("-ep", "--enable-ep-moe"),
                Option.of(SIZE, OptionType.INTEGER,
                        "Number of ranks that share the routed experts of a layer: dp × tp, or 1 for none; above 1 it enables expert parallelism.")
                        .withDefault("1").withMinimum(1).withAliases("--ep", "--ep-size"),
                Option.of(STRATEGY, OptionType.TEXT,
                        "Which rank has which experts: linear (neighbours together) or round_robin (dealt in turn).")
                        .withDefault("linear").withChoices("linear", ROUND_ROBIN),
                Option.of(FILE, OptionType.TEXT,
                        "JSON file that lists the experts of each rank, for all layers or layer by layer; trivial means none.")
                        .withAliases("--init-expert-location"),
                Option.of(REDUNDANT, OptionType.INTEGER, "Further slots, over all ranks, in which experts are held once more.")
                        .withDefault("0").withMinimum(0).withAliases("--ep-num-redundant-experts")));
        options.addAll(EplbOptions.all());
        return List.copyOf(options);
    }

    @Override
    public List<MeshDimension> dimensions() {
        return List.of();
    }

    @Override
    public int size(MeshDimension dimension, Settings settings) {
        throw new IllegalArgumentException("expert parallelism adds no dimension " + dimension);
    }

    @Override
    public List<AxisRule> rules(Settings settings) {
        return enabled(settings)
                ? List.of(new AxisRule(Axes.EXPERTS, List.of(DP, TP), new ExpertSplitter(Placing.of(settings))))
                : List.of();
    }

    @Override
    public Optional<ExpertPlacement> experts(int layer, int experts, Mesh mesh, Settings settings) {
        return enabled(settings)
                ? Optional.of(Placing.of(settings).place(layer, experts, mesh.size(DP) * mesh.size(TP)))
                : Optional.empty();
    }

    @Override
    public Optional<ExpertBalancer> balancer(Settings settings) {
        return enabled(settings) && settings.flag(EplbOptions.ENABLE)
                ? Optional.of(EplbOptions.balancer(settings))
                : Optional.empty();
    }

    @Override
    public List<Map<String, String>> candidates(PlanRequest request) {
        Map<String, String> off = Map.of(ENABLE, "false");
        return request.has(Axes.EXPERTS) && request.ranks() > 1 ? List.of(Map.of(ENABLE, "true"), off) : List.of(off);
    }

    @Override
    public Map<Axis, String> required(Settings settings) {
        return enabled(settings) ? Map.of(Axes.EXPERTS, settings.given(ENABLE) ? ENABLE : SIZE) : Map.of();
    }

    @Override
    public List<Problem> problems(Settings settings) {
        var problems = new ArrayList<>(EplbOptions.problems(settings));
        if (problems.isEmpty()) {
            placementProblems(settings, problems);
        }
        return problems;
    }

    private static void placementProblems(Settings settings, List<Problem> problems) {
        int redundant = EplbOptions.redundant(settings);
        boolean roundRobin = settings.text(STRATEGY).equals(ROUND_ROBIN);
        if (!enabled(settings)) {
            needsExpertParallelism(roundRobin, STRATEGY, "says where experts go", problems);
            needsExpertParallelism(Placing.file(settings).isPresent(), FILE, "says where experts go", problems);
            needsExpertParallelism(redundant > 0, EplbOptions.redundantKey(settings), "holds " + redundant + " experts once more",
                    problems);
            needsExpertParallelism(settings.flag(EplbOptions.ENABLE), EplbOptions.ENABLE, "rebalances experts", problems);
        }
        if (settings.declared("numerics") && settings.text("numerics").equals("exact")
                && !settings.text(DirectAllToAll.DTYPE).equals("f32")) {
            problems.add(new Problem(DirectAllToAll.DTYPE, "[" + settings.text(DirectAllToAll.DTYPE)
                    + "] rounds what goes to experts with one all-to-all back end and not with another, which numerics [exact] excludes;"
                    + " use f32, or numerics fast"));
        }
        if (roundRobin && redundant > 0) {
            problems.add(new Problem(STRATEGY, "[" + ROUND_ROBIN + "] is for experts that are held once, but "
                    + EplbOptions.redundantKey(settings) + " holds " + redundant
                    + " of them once more; use linear, or no redundant experts"));
        }
        if (Placing.file(settings).isPresent()) {
            if (settings.given(STRATEGY)) {
                problems.add(new Problem(STRATEGY,
                        "is given beside " + FILE + ", which says where experts go; give only one of them"));
            }
            try {
                Placing.file(settings).ifPresent(PlacementFile::read);
            } catch (SplitException e) {
                problems.add(new Problem(e.key(), String.valueOf(e.getMessage())));
            }
        }
    }

    private static void needsExpertParallelism(boolean asked, String key, String what, List<Problem> problems) {
        if (asked) {
            problems.add(new Problem(key, what + ", but expert parallelism is off; set " + ENABLE + ", or remove this key"));
        }
    }

    private static boolean enabled(Settings settings) {
        return settings.flag(ENABLE) || settings.integer(SIZE) > 1;
    }
}
