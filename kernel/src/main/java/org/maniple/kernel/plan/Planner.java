package org.maniple.kernel.plan;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.maniple.api.mesh.Mesh;
import org.maniple.api.mesh.Parallelism;
import org.maniple.api.mesh.PlanRequest;
import org.maniple.api.mesh.SplitException;
import org.maniple.kernel.config.ConfigurationException;
import org.maniple.kernel.config.EffectiveSettings;
import org.maniple.kernel.config.UnitWish;
import org.maniple.kernel.execute.RankExecutor;
import org.maniple.kernel.load.WeightSizes;
import org.maniple.kernel.program.CompileException;
import org.maniple.kernel.program.MeshProgram;
import org.maniple.kernel.program.RankProgram;

/**
 * Looks at the ways of spreading a model over some ranks that the parallelisms name: compiles the program of each, and reads from it what
 * every rank would hold and send. It knows no parallelism by name. For one thread.
 *
 * <p>Of the ways that break no rule it recommends the one with the greatest number of sequences of the longest length per time of a step;
 * the time is an estimate of reading weights and of sending, see {@link Hardware}. Ways that have no room for a single request of that length
 * come after all others.
 */
public final class Planner {

    private final PlannedModel model;
    private final UnitWish wish;
    private final Budget budget;
    private final WeightSizes sizes;
    private final LayoutCompiler compiler;

    /**
     * A planner.
     *
     * @param model the model
     * @param wish the ranks, and what the user has decided
     * @param compiler makes the programs
     */
    public Planner(PlannedModel model, UnitWish wish, LayoutCompiler compiler) {
        this.model = model;
        this.wish = wish;
        this.budget = Budget.of(wish, model.graph().contextLength());
        this.sizes = model.sizes();
        this.compiler = compiler;
    }

    /**
     * Looks at all ways.
     *
     * @return the possible ones, best first, then the others in the order in which they were named
     */
    public List<Candidate> candidates() {
        return candidates(wish);
    }

    List<Candidate> candidates(UnitWish on) {
        var all = new ArrayList<Judged>();
        for (Map<String, String> way : ways(on)) {
            consider(on, way).ifPresent(all::add);
        }
        return all.stream().filter(one -> all.stream().noneMatch(other -> simpler(other, one))).map(Judged::candidate)
                .sorted(Comparator.comparing((Candidate c) -> !c.possible()).thenComparing(this::compare)).toList();
    }

    /** A candidate, and for each stage how many weights lie how. */
    private record Judged(Candidate candidate, List<Map<StageWeights.Kind, Integer>> weights) {}

    /** Whether a switch of the second changes nothing, as one about experts where no ranks share a layer. */
    private static boolean simpler(Judged first, Judged second) {
        return first.candidate().figures().isPresent() && first.candidate().figures().equals(second.candidate().figures())
                && first.candidate().mesh().equals(second.candidate().mesh()) && first.weights().equals(second.weights())
                && first.candidate().words().length() < second.candidate().words().length();
    }

    private int compare(Candidate a, Candidate b) {
        if (!a.possible() || !b.possible()) {
            return 0;
        }
        Figures first = a.figures().orElseThrow();
        Figures second = b.figures().orElseThrow();
        return Comparator.comparing((Figures f) -> f.kvTokensPerHome() < budget.length())
                .thenComparingDouble(f -> -f.sequences() / f.stepMicros())
                .thenComparingLong(Figures::wireBytesBetweenNodes)
                .thenComparingLong(Figures::wireBytes)
                .compare(first, second);
    }

    /** All combinations of what the parallelisms name, without the keys that the user has decided about. */
    private List<Map<String, String>> ways(UnitWish on) {
        var request = new PlanRequest(on.ranksPerNode().size(), on.ranks(), model.axes());
        List<Map<String, String>> ways = List.of(Map.of());
        for (Parallelism parallelism : on.parallelisms()) {
            var own = new LinkedHashSet<Map<String, String>>();
            for (Map<String, String> way : parallelism.candidates(request)) {
                var open = new LinkedHashMap<>(way);
                open.keySet().removeIf(on.settings()::given);
                if (open.entrySet().stream().noneMatch(choice -> contradicts(on.settings(), choice))) {
                    own.add(open);
                }
            }
            var next = new ArrayList<Map<String, String>>();
            for (Map<String, String> before : ways) {
                for (Map<String, String> more : own) {
                    var together = new LinkedHashMap<>(before);
                    together.putAll(more);
                    next.add(together);
                }
            }
            ways = next;
        }
        return ways;
    }

    /** What follows from the user's words in another spelling has been decided as well. */
    private static boolean contradicts(EffectiveSettings settings, Map.Entry<String, String> choice) {
        return settings.derived(choice.getKey()) && !choice.getValue().equals(settings.shown().get(choice.getKey()));
    }

    /** Empty if the way makes a mesh of another number of ranks, which is no way at all. */
    private Optional<Judged> consider(UnitWish on, Map<String, String> way) {
        EffectiveSettings settings = on.settings();
        for (var choice : way.entrySet()) {
            settings = settings.derive(choice.getKey(), choice.getValue(), "planned");
        }
        UnitWish.Composed composed = on.compose(settings);
        if (composed.mesh().isEmpty() || composed.mesh().get().ranks() != on.ranks()) {
            return Optional.empty();
        }
        Mesh mesh = composed.mesh().get();
        if (!composed.problems().isEmpty()) {
            return Optional.of(refused(way, mesh, composed.problems()));
        }
        try {
            return Optional.of(judge(on, way, mesh, compiler.compile(settings, mesh)));
        } catch (ConfigurationException e) {
            return Optional.of(refused(way, mesh, e.problems()));
        } catch (SplitException e) {
            return Optional.of(refused(way, mesh, List.of(e.key() + ": " + e.getMessage())));
        } catch (CompileException e) {
            return Optional.of(refused(way, mesh, List.of(String.valueOf(e.getMessage()))));
        }
    }

    private static Judged refused(Map<String, String> way, Mesh mesh, List<String> reasons) {
        return new Judged(new Candidate(way, mesh, words(way), Optional.empty(), reasons, List.of()), List.of());
    }

    /** The switches that were chosen; sizes are those of the mesh. */
    private static String words(Map<String, String> way) {
        var words = new StringBuilder();
        way.forEach((key, value) -> {
            if (value.equals("true")) {
                words.append(", ").append(key);
            }
        });
        return words.toString();
    }

    private Judged judge(UnitWish on, Map<String, String> way, Mesh mesh, MeshProgram program) {
        var stages = new ArrayList<StageWeights>();
        for (int stage = 0; stage < program.stages(); stage++) {
            stages.add(new StageWeights(program.forRank(program.peer(0, stage)), model, sizes));
        }
        Figures figures = figures(on, program, stages);
        var broken = new ArrayList<String>();
        var remarks = new ArrayList<String>();
        long tokens = figures.kvTokensPerHome();
        Share fullest = figures.shares().stream().max(Comparator.comparingLong(s -> s.weights().held())).orElseThrow();
        if (tokens < 0) {
            broken.add("rank " + fullest.rank() + " needs " + Bytes.of(fullest.weights().held()) + " for weights, but has "
                    + Bytes.of(budget.usable()) + " (" + percent() + " of " + Bytes.of(budget.memory()) + ")");
        } else if (tokens < budget.blockSize()) {
            broken.add("the weights of rank " + fullest.rank() + " (" + Bytes.of(fullest.weights().held())
                    + ") leave no room for a KV cache in " + Bytes.of(budget.usable()));
        } else if (tokens < budget.length() && budget.lengthGiven()) {
            broken.add(String.format(Locale.ROOT, "the KV cache has room for %,d tokens, fewer than max-model-len %,d; give"
                    + " --max-model-len %d at most", tokens, budget.length(), tokens));
        } else if (tokens < budget.length()) {
            remarks.add(String.format(Locale.ROOT, "max-model-len falls from %,d to %,d, since the KV cache has no room for more",
                    budget.length(), tokens));
        }
        return new Judged(new Candidate(way, mesh, words(way), Optional.of(figures), broken, remarks),
                stages.stream().map(StageWeights::counts).toList());
    }

    String percent() {
        return Math.round(budget.part() * 100) + " %";
    }

    Budget budget() {
        return budget;
    }

    private Figures figures(UnitWish on, MeshProgram program, List<StageWeights> stages) {
        int ranks = program.mesh().ranks();
        var shares = new ArrayList<Share>();
        long tokens = Long.MAX_VALUE;
        var programs = new ArrayList<RankProgram>();
        for (int rank = 0; rank < ranks; rank++) {
            StageWeights stage = stages.get(program.stageOfRank(rank));
            RankProgram own = stage.program(rank);
            programs.add(own);
            WeightSizes.Size weights = stage.of(own);
            long block = RankExecutor.blockBytes(own, budget.blockSize());
            shares.add(new Share(rank, weights, block / budget.blockSize()));
            long free = Math.min(budget.usable() - weights.held(), budget.kvLimit());
            tokens = Math.min(tokens, free < 0 ? -1 : block == 0 ? Long.MAX_VALUE : free / block * budget.blockSize());
        }
        int homes = program.homes();
        double sequences = Math.min(budget.maxSequences(), Math.max(0, tokens) / (double) budget.length() * homes);
        Traffic traffic = Traffic.of(program, on.ranksPerNode());
        return new Figures(shares, homes, tokens, traffic.bytes(), traffic.bytesBetweenNodes(),
                traffic.exchanges() + traffic.exchangesBetweenNodes(), micros(programs, stages, traffic, Math.max(1, sequences)),
                sequences);
    }

    /** Weights are read stage after stage, by the slowest rank of each; what is sent is sent one after the other. */
    private static double micros(List<RankProgram> programs, List<StageWeights> stages, Traffic traffic, double sequences) {
        Hardware hardware = Hardware.DATA_CENTRE;
        double[] reading = new double[programs.getFirst().program().stages()];
        for (RankProgram own : programs) {
            double bytes = stages.get(own.stage()).read(own, sequences);
            reading[own.stage()] = Math.max(reading[own.stage()], bytes);
        }
        double micros = 0;
        for (double bytes : reading) {
            micros += bytes / hardware.memoryBytesPerMicro();
        }
        long near = traffic.bytes() - traffic.bytesBetweenNodes();
        return micros + sequences * near / hardware.nodeBytesPerMicro()
                + sequences * traffic.bytesBetweenNodes() / hardware.linkBytesPerMicro()
                + traffic.exchanges() * hardware.nodeMicros() + traffic.exchangesBetweenNodes() * hardware.linkMicros();
    }
}
