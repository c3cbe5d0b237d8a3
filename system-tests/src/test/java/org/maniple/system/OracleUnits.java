package org.maniple.system;

import java.util.List;
import java.util.Map;

/** The cover of checkpoints and layouts by units of real processes. The full product runs with virtual ranks in integration-tests. */
final class OracleUnits {

    static final List<String> MODELS = List.of("llama-plain", "llama-gqa-rope3-sharded", "llama-tied-bias-bf16", "mistral-window",
            "qwen2", "qwen3-tied", "gemma3", "demo-dense");

    /**
     * How a model is spread.
     *
     * @param name in words
     * @param ranks how many processes it needs
     * @param keys its configuration
     */
    record Layout(String name, int ranks, Map<String, String> keys) {
        @Override
        public String toString() {
            return name;
        }
    }

    /** A unit to be started. */
    record Unit(String model, Layout layout) {
        @Override
        public String toString() {
            return model + ", " + layout;
        }
    }

    private static final String TP = "tensor-parallel-size";
    private static final String PP = "pipeline-parallel-size";

    static final Layout SINGLE = new Layout("one rank", 1, Map.of());
    static final Layout TP2 = new Layout("tp 2", 2, Map.of(TP, "2"));
    static final Layout TP4 = new Layout("tp 4", 4, Map.of(TP, "4"));
    static final Layout PP2 = new Layout("pp 2", 2, Map.of(PP, "2"));
    static final Layout PP3 = new Layout("pp 3", 3, Map.of(PP, "3"));
    static final Layout TP2_PP2 = new Layout("tp 2 x pp 2", 4, Map.of(TP, "2", PP, "2"));
    static final Layout TP3 = new Layout("tp 3, uneven", 3, Map.of(TP, "3"));
    static final Layout TP_1_TO_2 = new Layout("tp 2, weighted 1:2", 2, Map.of(TP, "2", "tensor-parallel-weights", "[1, 2]"));
    static final Layout PP_4_2 = new Layout("pp 2, 4 and 2 layers", 2, Map.of(PP, "2", "pipeline-layer-partition", "[4, 2]"));

    static final List<Layout> LAYOUTS = List.of(SINGLE, TP2, TP4, PP2, PP3, TP2_PP2, TP3, TP_1_TO_2, PP_4_2);

    /** Several kinds of checkpoints and of uneven layouts; what has experts is in {@link ExpertUnits}. */
    static final List<Unit> ALWAYS = List.of(
            new Unit("llama-gqa-rope3-sharded", TP2_PP2),
            new Unit("qwen2", TP3),
            new Unit("qwen3-tied", TP_1_TO_2),
            new Unit("gemma3", PP_4_2));

    /** With {@code -Dmaniple.units=all}. */
    static final List<Unit> MORE = List.of(
            new Unit("llama-plain", SINGLE),
            new Unit("llama-tied-bias-bf16", TP4),
            new Unit("mistral-window", PP3),
            // 6 heads over 3 KV heads on 2 ranks: both ranks hold the KV head in the middle.
            new Unit("demo-dense", TP2),
            new Unit("llama-plain", TP2),
            new Unit("llama-plain", TP3),
            new Unit("llama-gqa-rope3-sharded", TP4),
            new Unit("llama-gqa-rope3-sharded", PP_4_2),
            new Unit("llama-tied-bias-bf16", TP2_PP2),
            new Unit("mistral-window", TP_1_TO_2),
            new Unit("mistral-window", TP3),
            new Unit("qwen2", PP2),
            new Unit("qwen2", SINGLE),
            new Unit("qwen3-tied", PP3),
            new Unit("gemma3", TP4),
            new Unit("gemma3", TP2_PP2));

    private OracleUnits() {}

    static boolean all() {
        return "all".equals(System.getProperty("maniple.units"));
    }
}
