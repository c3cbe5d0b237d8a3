package org.maniple.kernel.plan;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.maniple.api.config.Derived;
import org.maniple.api.config.Option;
import org.maniple.api.tensor.UnitList;
import org.maniple.kernel.config.ConfigurationException;
import org.maniple.kernel.config.EffectiveSettings;
import org.maniple.kernel.config.KernelOptions;
import org.maniple.kernel.config.UnitWish;
import org.maniple.kernel.load.WeightSizes;

/** What a planner found, in words, as a configuration file, and as values of keys. */
public final class PlanReport {

    private static final int ALTERNATIVES = 12;
    private static final int REFUSED = 12;

    private final PlannedModel model;
    private final UnitWish wish;
    private final Planner planner;
    private final LayoutCompiler compiler;
    private final List<Candidate> candidates;

    /**
     * Plans.
     *
     * @param model the model
     * @param wish the ranks, and what the user has decided
     * @param compiler makes the programs
     */
    public PlanReport(PlannedModel model, UnitWish wish, LayoutCompiler compiler) {
        this.model = model;
        this.wish = wish;
        this.compiler = compiler;
        this.planner = new Planner(model, wish, compiler);
        this.candidates = planner.candidates();
    }

    /**
     * All ways that were looked at.
     *
     * @return the possible ones, best first, then the others
     */
    public List<Candidate> candidates() {
        return candidates;
    }

    /**
     * The best way.
     *
     * @return a possible one
     * @throws ConfigurationException if there is none; says why, and what would do
     */
    public Candidate recommended() {
        return candidates.stream().filter(Candidate::possible).findFirst()
                .orElseThrow(() -> new ConfigurationException(List.of(String.join("\n  ", refusal()))));
    }

    /**
     * The values of the recommended way that differ from the configuration.
     *
     * @return sorted by key
     * @throws ConfigurationException if there is none
     */
    public List<Derived> derived() {
        Candidate best = recommended();
        String reason = "planned for " + ranks() + " of " + Bytes.of(planner.budget().memory()) + " ("
                + planner.budget().source() + ")";
        return settings(best).entrySet().stream().map(e -> new Derived(e.getKey(), e.getValue(), reason)).toList();
    }

    /** The keys of a way that do not have these values anyway. */
    private Map<String, String> settings(Candidate way) {
        var shown = wish.settings().shown();
        var changed = new TreeMap<>(way.chosen());
        changed.entrySet().removeIf(entry -> entry.getValue().equals(shown.get(entry.getKey())));
        return changed;
    }

    /**
     * The recommended configuration.
     *
     * @return YAML that {@code maniple launch} accepts
     * @throws ConfigurationException if there is none
     */
    public String yaml() {
        Candidate best = recommended();
        EffectiveSettings settings = wish.settings();
        Map<String, String> shown = settings.shown();
        var lines = new LinkedHashMap<String, String>();
        lines.put(KernelOptions.MODEL, settings.text(KernelOptions.MODEL));
        lines.put(KernelOptions.NNODES, Integer.toString(wish.ranksPerNode().size()));
        boolean alike = wish.ranksPerNode().stream().distinct().count() == 1;
        lines.put(KernelOptions.RANKS_PER_NODE, alike
                ? Integer.toString(wish.ranksPerNode().getFirst())
                : wish.ranksPerNode().toString());
        lines.putAll(settings(best));
        best.chosen().forEach((key, value) -> {
            if (settings.derived(key)) {
                lines.put(key, value);
            }
        });
        long tokens = best.figures().orElseThrow().kvTokensPerHome();
        if (tokens < planner.budget().length()) {
            lines.put(KernelOptions.MAX_MODEL_LEN, Long.toString(tokens));
        }
        boolean cacheGiven = Stream.of(KernelOptions.KV_CACHE_MEMORY_BYTES, KernelOptions.NUM_GPU_BLOCKS_OVERRIDE,
                KernelOptions.GPU_MEMORY_UTILIZATION).anyMatch(settings::given);
        if (!cacheGiven) {
            lines.put(KernelOptions.KV_CACHE_MEMORY_BYTES, Long.toString(tokens * best.figures().orElseThrow().largestKvBytes()));
        }
        for (Option option : settings.options()) {
            if (settings.given(option.key()) && !option.local()) {
                lines.putIfAbsent(option.key(), shown.getOrDefault(option.key(), ""));
            }
        }
        var yaml = new StringBuilder();
        lines.forEach((key, value) -> yaml.append(key).append(": ").append(scalar(value)).append('\n'));
        return yaml.toString();
    }

    /** Numbers, truth values and lists of numbers are as they are; other texts are quoted if YAML could read them otherwise. */
    private static String scalar(String value) {
        return value.matches("[A-Za-z0-9/][A-Za-z0-9/._+-]*|\\[[0-9, ]*\\]")
                ? value
                : "\"" + value.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }

    /**
     * Everything for people.
     *
     * @return lines
     */
    public List<String> lines() {
        var lines = new ArrayList<String>();
        WeightSizes.Size whole = model.whole();
        Budget budget = planner.budget();
        lines.add(String.format(Locale.ROOT, "model      %s, %d layers, %,d weights, %,d bytes as stored (%s)",
                model.graph().architecture(),
                model.graph().layers(), whole.elements(), whole.stored(), Bytes.of(whole.stored())));
        lines.add(String.format(Locale.ROOT,
                "ranks      %d on %d node%s, each with %s (%s), of which %s for weights and KV cache",
                wish.ranks(), wish.ranksPerNode().size(), wish.ranksPerNode().size() == 1 ? "" : "s", Bytes.of(budget.memory()),
                budget.source(), planner.percent()));
        lines.add(String.format(Locale.ROOT, "requests   at most %,d tokens each (%s), at most %d in a step", budget.length(),
                budget.lengthGiven() ? wish.settings().source(KernelOptions.MAX_MODEL_LEN) : "the model's",
                budget.maxSequences()));
        model.missing().stream().limit(3).forEach(name -> lines.add("warning    the index does not name tensor " + name));
        List<Candidate> possible = candidates.stream().filter(Candidate::possible).toList();
        if (!possible.isEmpty()) {
            lines.add("");
            table(possible, lines);
            lines.add("");
            shares(possible.getFirst(), lines);
        }
        broken(lines);
        return lines;
    }

    private void table(List<Candidate> possible, List<String> lines) {
        var layouts = possible.stream().limit(ALTERNATIVES).toList();
        int width = layouts.stream().mapToInt(c -> c.layout().length()).max().orElse(6);
        lines.add(String.format(Locale.ROOT, "%-" + (width + 2) + "s %12s %10s %14s %12s %12s %14s %9s", "possible, best first",
                "weights/rank", "KV/token", "KV tokens", "concurrency", "sent/token", "between nodes", "step"));
        for (Candidate candidate : layouts) {
            Figures figures = candidate.figures().orElseThrow();
            double concurrency = figures.kvTokens() / (double) planner.budget().length();
            lines.add(String.format(Locale.ROOT, "%s %-" + width + "s %12s %10s %,14d %11.2fx %12s %14s %6.1f ms",
                    candidate.equals(possible.getFirst()) ? "*" : " ",
                    candidate.layout(), Bytes.of(figures.largestWeights()), Bytes.of(figures.largestKvBytes()),
                    figures.kvTokens(),
                    concurrency, Bytes.of(figures.wireBytes()), Bytes.of(figures.wireBytesBetweenNodes()),
                    figures.stepMicros() / 1000));
            candidate.remarks().forEach(remark -> lines.add("    " + remark));
        }
        if (possible.size() > layouts.size()) {
            lines.add("  and " + (possible.size() - layouts.size()) + " more");
        }
        lines.add("  step: estimated for as many requests as fit; assumed: " + Hardware.DATA_CENTRE);
    }

    private static void shares(Candidate best, List<String> lines) {
        lines.add("recommended: " + best.layout());
        lines.add(String.format(Locale.ROOT, "%18s %18s %18s %10s", "weights", "bytes stored", "bytes loaded",
                "KV/token"));
        var alike = new LinkedHashMap<Share, List<Integer>>();
        best.figures().orElseThrow().shares().forEach(share -> alike
                .computeIfAbsent(new Share(-1, share.weights(), share.kvBytesPerToken()), s -> new ArrayList<>())
                .add(share.rank()));
        alike.forEach((share, ranks) -> lines.add(String.format(Locale.ROOT, "%,18d %,18d %,18d %,10d   rank %s",
                share.weights().elements(), share.weights().stored(), share.weights().held(), share.kvBytesPerToken(),
                UnitList.of(ranks.stream().mapToInt(Integer::intValue).toArray()))));
    }

    private void broken(List<String> lines) {
        var reasons = new LinkedHashMap<String, List<String>>();
        candidates.stream().filter(c -> !c.possible()).forEach(
                c -> c.broken().forEach(reason -> reasons.computeIfAbsent(reason, r -> new ArrayList<>()).add(c.layout())));
        if (!reasons.isEmpty()) {
            lines.add("");
            lines.add("not possible");
            reasons.entrySet().stream().limit(REFUSED)
                    .forEach(e -> lines.add("  " + String.join("; ", e.getValue()) + ": " + e.getKey()));
            if (reasons.size() > REFUSED) {
                lines.add("  and " + (reasons.size() - REFUSED) + " more reasons");
            }
        }
    }

    private List<String> refusal() {
        var lines = new ArrayList<String>();
        WeightSizes.Size whole = model.whole();
        Budget budget = planner.budget();
        lines.add("the model (" + Bytes.of(whole.stored()) + " of weights) cannot be spread over " + ranks() + " of "
                + Bytes.of(budget.memory()) + " (" + budget.source() + ")" + given());
        if (candidates.isEmpty()) {
            lines.add("no sizes make a mesh of " + wish.ranks() + " ranks" + given());
        }
        nearest().ifPresent(candidate -> candidate.broken().forEach(reason -> lines.add(candidate.layout() + ": " + reason)));
        Optional<SmallestUnit> smallest = SmallestUnit.find(planner, wish, whole.stored(), budget.usable());
        if (smallest.isEmpty() && !decided().isEmpty()) {
            UnitWish open = wish.without(decided());
            lines.add("no number of ranks with that memory would do" + given());
            smallest = SmallestUnit.find(new Planner(model, open, compiler), open, whole.stored(), budget.usable());
        }
        lines.add(smallest.map(unit -> "the smallest unit with that memory that would do: " + unit)
                .orElse("no number of ranks with that memory would do"));
        nearest().flatMap(Candidate::figures).ifPresent(figures -> lines.add("on these ranks it would take at least "
                + Bytes.of(least(figures, budget)) + " for each (--memory-limit)"));
        return lines;
    }

    /** Memory for the fullest rank's weights and one request. */
    private static long least(Figures figures, Budget budget) {
        long length = budget.lengthGiven() ? budget.length() : budget.blockSize();
        long bytes = figures.shares().stream().mapToLong(s -> s.weights().held() + s.kvBytesPerToken() * length).max().orElse(0);
        return (long) Math.ceil(bytes / budget.part());
    }

    /** What lacks least memory. */
    private Optional<Candidate> nearest() {
        return candidates.stream().filter(c -> c.figures().isPresent())
                .min(java.util.Comparator.comparingLong(c -> least(c.figures().orElseThrow(), planner.budget())))
                .or(() -> candidates.stream().findFirst());
    }

    private String ranks() {
        return wish.ranks() + (wish.ranks() == 1 ? " rank" : " ranks");
    }

    private String given() {
        var keys = new TreeMap<String, String>();
        decided().forEach(key -> keys.put(key, wish.settings().shown().getOrDefault(key, "")));
        var words = new StringBuilder();
        keys.forEach(
                (key, value) -> words.append(words.isEmpty() ? " with " : ", ").append(key).append(' ').append(value).append(" (")
                        .append(wish.settings().source(key)).append(')'));
        return words.toString();
    }

    /** The keys that parallelisms would choose and the user has decided about. */
    private List<String> decided() {
        return wish.parallelisms().stream().flatMap(p -> p.options().stream()).map(Option::key)
                .filter(key -> wish.settings().given(key) || wish.settings().derived(key)).distinct().toList();
    }
}
