package org.maniple.it;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.maniple.api.transport.Transport;
import org.maniple.kernel.execute.OverlapThresholds;
import org.maniple.kernel.local.LocalTransport;

/** A way of spreading a model over ranks, by the keys that users write. */
record Layout(String name, Map<String, Object> settings, Supplier<Transport> way) {

    Layout(String name, Map<String, Object> settings) {
        this(name, settings, LocalTransport::new);
    }

    static Layout of(int tp, int pp) {
        return new Layout("tp" + tp + (pp > 1 ? " x pp" + pp : ""),
                Map.of("tensor-parallel-size", tp, "pipeline-parallel-size", pp));
    }

    Layout weighted(double... weights) {
        return with("tensor-parallel-weights", java.util.Arrays.stream(weights).boxed().toList(), "weighted");
    }

    Layout stages(Integer... layers) {
        return with("pipeline-layer-partition", List.of(layers), "stages");
    }

    /** Replicas of the model that share what there is to do. */
    Layout replicas(int dp) {
        return with("data-parallel-size", dp, "dp");
    }

    /** Attention in parallel on different sequences, everything else on all ranks together. */
    Layout attentionOf(int dp) {
        return with("data-parallel-size", dp, "dp").with("enable-dp-attention", true, "attention");
    }

    /** Experts spread over all ranks of a stage. */
    Layout experts() {
        return with("enable-expert-parallel", true, "ep");
    }

    /** With the layer that guesses tokens. */
    Layout withGuesses() {
        return with("guesses", true, "guesses");
    }

    boolean guessing() {
        return settings.containsKey("guesses");
    }

    /** Steps are computed in halves from so many tokens on, without prompts and with them. */
    Layout inHalvesFrom(int decodeTokens, int promptTokens) {
        return with("halves", new OverlapThresholds(decodeTokens, promptTokens), "halves");
    }

    Optional<OverlapThresholds> halves() {
        return Optional.ofNullable((OverlapThresholds) settings.get("halves"));
    }

    /** Threads of each rank. */
    Layout threads(int number) {
        return with("threads", number, "threads");
    }

    int threads() {
        return (int) settings.getOrDefault("threads", 1);
    }

    Layout with(String key, Object value, String word) {
        var copy = new HashMap<>(settings);
        copy.put(key, value);
        String shown = value.equals(true) ? "" : " " + value;
        return new Layout(name + " " + word + shown, copy, way);
    }

    /** How its ranks reach each other, unless they are threads that hand each other their data. */
    Layout over(String word, Supplier<Transport> transport) {
        return new Layout(name + " over " + word, settings, transport);
    }

    Transport transport() {
        return way.get();
    }

    @Override
    public String toString() {
        return name;
    }
}
