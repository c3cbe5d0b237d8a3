package org.maniple.system;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Units of real processes for checkpoints with experts: a pairwise cover of checkpoints and everything that says how they are spread. The full
 * product runs with virtual ranks in integration-tests.
 */
final class ExpertUnits {

    static final List<String> CHECKPOINTS = List.of("deepseek-v3", "mixtral", "qwen3-moe", "gpt-oss-bf16", "deepseek-v2-lite",
            "glm4-moe",
            "olmoe", "deepseek-v3-fp8", "deepseek-v2-group", "deepseek-v3-fp8-ragged", "deepseek-v3-mtp-bf16",
            "qwen3-moe-sparse");

    /** How attention is spread: its heads, its sequences, or both. */
    enum Attention {
        HEADS, SEQUENCES, BOTH
    }

    /** What the groups with sequences of their own do with dense layers: copy them, as attention, or split them over all. */
    enum Dense {
        COPIED, SPLIT
    }

    /** How experts are laid out on the ranks. */
    enum Placement {
        REDUNDANT, ROUND_ROBIN, LINEAR
    }

    /** How tokens are brought to experts. */
    enum Backend {
        GATHERED, DIRECT
    }

    /** Where results of experts are summed. */
    enum Combine {
        RANK_SUM, EXPERT_ORDER
    }

    /**
     * A unit to be started.
     *
     * @param model its checkpoint
     * @param experts over how many ranks experts are spread; 1: expert parallelism is off and every expert is split instead
     * @param dp groups of ranks with sequences of their own
     * @param tp ranks of a group that share a layer
     * @param pp stages
     * @param dense empty where all ranks have the same sequences
     * @param placement empty without expert parallelism, as the two that follow
     */
    record Unit(String model, int experts, int dp, int tp, int pp, List<Dense> dense, List<Placement> placement,
            List<Backend> backend,
            List<Combine> combine) {

        int ranks() {
            return dp * tp * pp;
        }

        Attention attention() {
            return dp == 1 ? Attention.HEADS : tp == 1 ? Attention.SEQUENCES : Attention.BOTH;
        }

        /** One level for each factor; empty where a factor does not apply. */
        List<String> levels() {
            return List.of(model, "experts over " + experts, attention().name(), pp + " stages", level(dense), strategy(),
                    redundant(),
                    level(backend), level(combine));
        }

        /** Redundant experts are placed linearly only. */
        private String strategy() {
            return placement.contains(Placement.REDUNDANT) ? Placement.LINEAR.name() : level(placement);
        }

        private String redundant() {
            return placement.isEmpty() ? "" : placement.contains(Placement.REDUNDANT) ? "redundant" : "once";
        }

        private static String level(List<?> choice) {
            return choice.isEmpty() ? "" : choice.getFirst().toString();
        }

        String shape() {
            return "dp " + dp + " x tp " + tp + " x pp " + pp;
        }

        Map<String, Object> keys() {
            var keys = new LinkedHashMap<String, Object>();
            keys.put("tensor-parallel-size", tp);
            keys.put("data-parallel-size", dp);
            keys.put("pipeline-parallel-size", pp);
            if (dense.contains(Dense.SPLIT)) {
                keys.put("enable-dp-attention", true);
            }
            if (experts > 1) {
                keys.put("enable-expert-parallel", true);
                keys.put("all2all-backend", backend.contains(Backend.DIRECT) ? "direct" : "allgather_reducescatter");
                keys.put("moe-combine", combine.contains(Combine.EXPERT_ORDER) ? "expert-order" : "rank-sum");
                keys.put("expert-placement-strategy", placement.contains(Placement.ROUND_ROBIN) ? "round_robin" : "linear");
                keys.put("num-redundant-experts", placement.contains(Placement.REDUNDANT) ? 4 : 0);
            }
            return keys;
        }

        @Override
        public String toString() {
            var words = new ArrayList<>(List.of(model, shape()));
            dense.forEach(d -> words.add(d == Dense.SPLIT ? "dp attention" : "replicas"));
            words.add(experts > 1 ? "ep " + experts : "no ep");
            placement.forEach(p -> words.add(p.name().toLowerCase(java.util.Locale.ROOT)));
            backend.forEach(b -> words.add(b == Backend.DIRECT ? "direct" : "allgather_reducescatter"));
            combine.forEach(c -> words.add(c == Combine.EXPERT_ORDER ? "expert-order" : "rank-sum"));
            return String.join(", ", words);
        }
    }

    /** The architectures without an oracle; they are part of the cover. */
    private static final List<Unit> REFERENCES = List.of(
            new Unit("qwen2-moe", 4, 2, 2, 1, List.of(Dense.COPIED), List.of(Placement.REDUNDANT), List.of(Backend.DIRECT),
                    List.of(Combine.RANK_SUM)),
            // 6 experts on 4 ranks: two of them have one expert less.
            new Unit("granite-moe", 4, 1, 4, 1, List.of(), List.of(Placement.ROUND_ROBIN), List.of(Backend.DIRECT),
                    List.of(Combine.EXPERT_ORDER)),
            new Unit("gpt-oss-mxfp4", 2, 2, 1, 2, List.of(Dense.SPLIT), List.of(Placement.REDUNDANT), List.of(Backend.GATHERED),
                    List.of(Combine.RANK_SUM)),
            new Unit("kimi-k2", 4, 4, 1, 1, List.of(Dense.SPLIT), List.of(Placement.LINEAR), List.of(Backend.DIRECT),
                    List.of(Combine.EXPERT_ORDER)));

    private ExpertUnits() {}

    /** All units of up to four ranks. */
    static List<Unit> product() {
        return CHECKPOINTS.stream().flatMap(ExpertUnits::of).toList();
    }

    private static Stream<Unit> of(String model) {
        var units = new ArrayList<Unit>();
        for (int pp : new int[] {1, 2}) {
            for (int dp : new int[] {1, 2, 4}) {
                for (int tp : new int[] {1, 2, 4}) {
                    int stage = dp * tp;
                    if (stage > 1 && stage * pp <= 4) {
                        for (List<Dense> dense : dp == 1
                                ? List.of(List.<Dense>of())
                                : List.of(List.of(Dense.SPLIT), List.of(Dense.COPIED))) {
                            units.add(new Unit(model, 1, dp, tp, pp, dense, List.of(), List.of(), List.of()));
                            spread(model, dp, tp, pp, dense, units);
                        }
                    }
                }
            }
        }
        return units.stream();
    }

    private static void spread(String model, int dp, int tp, int pp, List<Dense> dense, List<Unit> units) {
        for (Placement placement : Placement.values()) {
            for (Backend backend : Backend.values()) {
                for (Combine combine : Combine.values()) {
                    units.add(
                            new Unit(model, dp * tp, dp, tp, pp, dense, List.of(placement), List.of(backend), List.of(combine)));
                }
            }
        }
    }

    /** A few that together have every level of every factor but expert parallelism switched off: with the ordinary tests. */
    static List<Unit> always() {
        List<Unit> all = all();
        return Stream.of(all.subList(0, 3), List.of(REFERENCES.get(1), REFERENCES.get(3))).flatMap(List::stream).toList();
    }

    /** Those of the cover, each of the first with another checkpoint, and one for each architecture without an oracle. */
    static List<Unit> all() {
        return Stream.concat(Cover.pairwise(REFERENCES, product(), Unit::levels, Unit::shape).stream(), REFERENCES.stream())
                .toList();
    }
}
