package org.maniple.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Experts change their places between four processes that answer requests. */
class RebalancingIT {

    private static final int ROUNDS = 3;
    private static final int MOST_PASSES = 50;

    private final Distribution distribution = Distribution.find();

    @TempDir
    private Path folder;

    @Test
    void answersStayTheExpectedOnesWhileExpertsMove() {
        Oracles.Oracle oracle = Oracles.find("deepseek-v3");
        UnitSpec spec = UnitSpec.of(oracle.model()).with("skip-tokenizer-init", true)
                .with(Map.of("tensor-parallel-size", 2, "data-parallel-size", 2, "enable-dp-attention", true,
                        "enable-expert-parallel", true, "num-redundant-experts", 4))
                .with(Map.of("enable-eplb", true, "eplb-step-interval", 8, "eplb-window-size", 16,
                        "eplb-rebalance-layers-per-chunk", 2));
        try (UnitProcess running = UnitProcess.ready(distribution, spec, folder)) {
            Api api = running.api();
            assertThat(api.get("/v1/cluster/experts").get("rebalances").asBoolean()).isTrue();
            int passes = 0;
            while (api.get("/v1/cluster/experts").get("rounds").asInt() < ROUNDS) {
                assertThat(passes++).as("passes without %d rounds", ROUNDS).isLessThan(MOST_PASSES);
                OracleCheck.checkPrompts(api, oracle.expected());
            }
            JsonNode experts = api.get("/v1/cluster/experts");
            assertThat(experts.get("abandoned_rounds").asInt()).isZero();
            assertThat(experts.get("layers").valueStream().mapToInt(layer -> layer.get("version").asInt()).sum()).isPositive();
            for (JsonNode layer : experts.get("layers")) {
                assertThat(layer.get("ranks").size()).isEqualTo(4);
                assertThat(layer.get("balancedness").asDouble()).isBetween(0.25, 1.0);
            }
        }
    }
}
