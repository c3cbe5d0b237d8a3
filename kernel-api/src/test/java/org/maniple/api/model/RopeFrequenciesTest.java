package org.maniple.api.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.maniple.api.graph.BuiltinOp;

class RopeFrequenciesTest {

    private static final int HEAD_DIM = 16;

    /** Computed with the oracle's formulas in Python. */
    private static final List<Double> YARN = List.of(1.0, 0.23717082451262847, 0.05, 0.007905694150420948, 0.0025,
            0.0007905694150420947, 0.00025, 7.905694150420948e-05);

    @Test
    void unscaledAnglesArePowersOfTheBase() {
        BuiltinOp.Rope rope = RopeFrequencies.of(config(Map.of()), HEAD_DIM);

        assertThat(rope.frequencies()).hasSize(8).first().isEqualTo(1.0);
        assertThat(rope.frequencies().get(4)).isEqualTo(0.01, within(1e-15));
        assertThat(rope.scale()).isEqualTo(1);
        assertThat(rope.interleaved()).isFalse();
    }

    @Test
    void bothStylesOfConfigurationGiveTheSameAngles() {
        var old = config(Map.of("rope_theta", 5e5, "rope_scaling", Map.of("type", "linear", "factor", 4.0)));
        var recent = config(Map.of("rope_parameters", Map.of("rope_theta", 5e5, "rope_type", "linear", "factor", 4.0)));

        assertThat(RopeFrequencies.of(recent, HEAD_DIM)).isEqualTo(RopeFrequencies.of(old, HEAD_DIM))
                .isNotEqualTo(RopeFrequencies.of(config(Map.of("rope_theta", 5e5)), HEAD_DIM));
    }

    @Test
    void llama3StretchesLongWavesAndKeepsShortOnes() {
        BuiltinOp.Rope plain = RopeFrequencies.of(config(Map.of()), HEAD_DIM);
        BuiltinOp.Rope scaled = RopeFrequencies.of(config(Map.of("rope_scaling", llama3(1.0, 4.0))), HEAD_DIM);

        // Waves are 6.3, 19.9, 62.8, 199, … positions; those below 64/4 stay, those above 64/1 are stretched eightfold.
        assertThat(scaled.frequencies().get(0)).isEqualTo(plain.frequencies().get(0));
        double wave = 2 * Math.PI / plain.frequencies().get(2);
        double smooth = (64 / wave - 1) / (4 - 1);
        assertThat(scaled.frequencies().get(2))
                .isEqualTo((1 - smooth) * plain.frequencies().get(2) / 8 + smooth * plain.frequencies().get(2), within(1e-15));
        assertThat(scaled.frequencies().get(3)).isEqualTo(plain.frequencies().get(3) / 8, within(1e-15));
        assertThat(scaled.frequencies().get(7)).isEqualTo(plain.frequencies().get(7) / 8, within(1e-15));
    }

    @Test
    void yarnInterpolatesSlowPairsAndRaisesTheTemperature() {
        BuiltinOp.Rope rope = RopeFrequencies.of(config(Map.of("rope_scaling",
                Map.of("rope_type", "yarn", "factor", 4.0, "original_max_position_embeddings", 64))), HEAD_DIM);

        assertThat(rope.scale()).isEqualTo(1.138629436111989, within(1e-15));
        assertThat(rope.frequencies()).hasSize(YARN.size());
        for (int i = 0; i < YARN.size(); i++) {
            assertThat(rope.frequencies().get(i)).isEqualTo(YARN.get(i), within(1e-15));
        }
    }

    @Test
    void yarnWithTwoEqualMscalesLeavesCosineAndSineAlone() {
        BuiltinOp.Rope rope = RopeFrequencies.of(config(Map.of("rope_scaling",
                Map.of("type", "yarn", "factor", 40, "original_max_position_embeddings", 64, "mscale", 0.707, "mscale_all_dim",
                        0.707))),
                HEAD_DIM);

        assertThat(rope.scale()).isEqualTo(1);
    }

    @Test
    void yarnStretchesTheContext() {
        assertThat(RopeFrequencies.contextLength(config(Map.of()))).isEqualTo(128);
        assertThat(RopeFrequencies.contextLength(config(Map.of("rope_scaling",
                Map.of("type", "yarn", "factor", 4.0, "original_max_position_embeddings", 64))))).isEqualTo(256);
        assertThat(RopeFrequencies.contextLength(config(Map.of("rope_scaling",
                Map.of("type", "yarn", "factor", 1.5, "original_max_position_embeddings", 64))))).isEqualTo(128);
    }

    @Test
    void aPartialRotaryFactorTurnsTheFirstElementsOnly() {
        assertThat(RopeFrequencies.of(config(Map.of("partial_rotary_factor", 0.5)), HEAD_DIM).frequencies()).hasSize(4);
    }

    @Test
    void whatIsNotKnownOrMissingIsNamed() {
        assertRefused(Map.of("rope_scaling", Map.of("rope_type", "longrope")), "rope_type", "longrope", "llama3");
        assertRefused(Map.of("rope_scaling", Map.of("type", "dynamic")), "[type]", "dynamic", "yarn");
        assertRefused(Map.of("rope_scaling", Map.of("type", "linear")), "[factor] is missing");
        assertRefused(Map.of("rope_scaling", Map.of("type", "linear", "factor", 0)), "[factor]", "positive");
        assertRefused(Map.of("rope_scaling", llama3(4.0, 4.0)), "high_freq_factor", "more than low_freq_factor [4.0]");
        assertRefused(Map.of("rope_theta", 0), "rope_theta", "greater than 1");
        assertRefused(Map.of("partial_rotary_factor", 0.1), "partial_rotary_factor", "even number");
        assertRefused(Map.of("rope_scaling", "yarn"), "rope_scaling", "an object");
    }

    private static void assertRefused(Map<String, Object> changes, String... words) {
        assertThatThrownBy(() -> RopeFrequencies.of(config(changes), HEAD_DIM)).isInstanceOf(ModelConfigException.class)
                .hasMessageContainingAll(words);
    }

    private static Map<String, Object> llama3(double low, double high) {
        return Map.of("rope_type", "llama3", "factor", 8.0, "low_freq_factor", low, "high_freq_factor", high,
                "original_max_position_embeddings", 64);
    }

    private static ModelConfig config(Map<String, Object> changes) {
        var values = new HashMap<String, Object>(changes);
        values.put("max_position_embeddings", 128);
        return new ModelConfig("config.json", values);
    }
}
