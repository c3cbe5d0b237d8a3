package org.maniple.kernel.execute;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class StepProfileTest {

    private final StepProfile profile = new StepProfile();

    /** A step from a moment on, of which a kernel took some time. */
    private void step(String made, long begin, long time, long end) {
        profile.add(profile.slot(made), time);
        profile.step(begin, end);
    }

    @Test
    void nothingIsSaidWithoutAStep() {
        profile.slot("mlp.0");

        assertThat(profile.take()).isEmpty();
    }

    @Test
    void kernelsOfAllLayersAreOneKind() {
        assertThat(profile.slot("mlp.0")).isEqualTo(profile.slot("mlp.17")).isNotEqualTo(profile.slot("attn.0"));
    }

    @Test
    void timesAreThoseOfAStepAndTheLongestComesFirst() {
        step("attn.0", 1_000_000, 10_000, 1_100_000);
        step("mlp.0", 1_140_000, 50_000, 1_240_000);

        assertThat(profile.take()).containsExactly("profile:     100.0 µs 100.0 %  steps: 2, each",
                "profile:      20.0 µs  20.0 %  between steps", "profile:      25.0 µs  25.0 %  mlp.*",
                "profile:       5.0 µs   5.0 %  attn.*");
    }

    @Test
    void whatWasTakenIsNotTakenAgain() {
        step("mlp.0", 1_000_000, 10_000, 1_100_000);
        profile.take();

        assertThat(profile.take()).isEmpty();
        step("mlp.0", 9_000_000, 10_000, 9_100_000);
        assertThat(profile.take()).as("the time since the step that was taken lies between nothing")
                .contains("profile:       0.0 µs   0.0 %  between steps");
    }
}
