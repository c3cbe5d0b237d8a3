package org.maniple.kernel.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BenchPlanTest {

    @ParameterizedTest
    @ValueSource(strings = {"pp512", "tg128", "tg128@d256", "tg128x8", "tg32@d64x16"})
    void aTestIsReadFromItsName(String name) {
        assertThat(ModelTest.of(name)).hasValueSatisfying(test -> assertThat(test.name()).isEqualTo(name));
    }

    @Test
    void namesSayWhatIsMeasured() {
        assertThat(ModelTest.of("tg32@d64x16")).contains(new ModelTest(ModelTest.Kind.GENERATE, 32, 64, 16));
        assertThat(ModelTest.of("pp512")).contains(new ModelTest(ModelTest.Kind.PROMPT, 512, 0, 1));
        assertThat(ModelTest.of("512")).isEmpty();
    }

    @Test
    void aPlanIsTheSameOnTheOtherSideOfACommandLine() {
        var plan = new BenchPlan(
                List.of(new ModelTest(ModelTest.Kind.PROMPT, 64, 0, 1), new ModelTest(ModelTest.Kind.GENERATE, 8, 0, 4)),
                5, true);

        assertThat(plan.text()).isEqualTo("pp64,tg8x4,repetitions=5,json");
        assertThat(BenchPlan.parse(plan.text())).isEqualTo(plan);
    }

    @Test
    void whatIsNoTestIsNamedWithExamples() {
        assertThatThrownBy(() -> BenchPlan.parse("pp512,speed")).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("[speed] names no test; tests are called like pp512, tg128, tg128@d256 and tg128x8");
    }
}
