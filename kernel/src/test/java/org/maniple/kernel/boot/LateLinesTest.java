package org.maniple.kernel.boot;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LateLinesTest {

    private final List<String> shown = new ArrayList<>();
    private final LateLines lines = new LateLines(shown::add);

    @Test
    void linesWaitForTheirPlaceInTheReport() {
        lines.accept("first");
        lines.accept("second");
        assertThat(shown).isEmpty();

        lines.open();
        assertThat(shown).containsExactly("first", "second");
    }

    @Test
    void laterOnesAreShownAtOnceAndNoneTwice() {
        lines.accept("first");
        lines.open();
        lines.accept("second");
        lines.open();

        assertThat(shown).containsExactly("first", "second");
    }
}
