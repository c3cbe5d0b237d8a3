package org.maniple.kernel.engine;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.maniple.kernel.engine.EngineFixture.prompt;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.Pooling;
import org.maniple.api.engine.RefusedException;
import org.maniple.api.engine.Sampling;
import org.maniple.kernel.engine.EngineFixture.Setup;

/** One vector of the rows of a prompt. */
class PoolTest {

    private static final float[][] ROWS = {{1, 10}, {2, 20}, {6, 0}, {3, -2}};

    /** Rows of a step, behind one that belongs to another request. */
    private static MemorySegment hidden(int from, int count) {
        float[] values = new float[2 * (count + 1)];
        for (int i = 0; i < count; i++) {
            System.arraycopy(ROWS[from + i], 0, values, 2 * (i + 1), 2);
        }
        MemorySegment segment = MemorySegment.ofArray(new byte[4 * values.length]);
        MemorySegment.copy(values, 0, segment, JAVA_FLOAT.withByteAlignment(1), 0, values.length);
        return segment;
    }

    private static float[] pooled(Pooling how, int... chunks) {
        var pool = new Pool(how, 2);
        int at = 0;
        for (int chunk : chunks) {
            pool.add(hidden(at, chunk), 1, chunk, at);
            at += chunk;
        }
        return pool.vector();
    }

    @Test
    void theMeanIsThatOfAllRowsHoweverThePromptIsCut() {
        assertThat(pooled(Pooling.MEAN, 4)).containsExactly(3, 7);
        assertThat(pooled(Pooling.MEAN, 1, 2, 1)).containsExactly(3, 7);
        assertThat(pooled(Pooling.MEAN, 1, 1, 1, 1)).containsExactly(3, 7);
    }

    @Test
    void aRowThatIsComputedAgainCountsOnce() {
        var pool = new Pool(Pooling.MEAN, 2);
        pool.add(hidden(0, 3), 1, 3, 0);
        pool.add(hidden(0, 2), 1, 2, 0);
        pool.add(hidden(2, 2), 1, 2, 2);
        assertThat(pool.vector()).containsExactly(3, 7);
    }

    @Test
    void theLastRowIsTheLastOne() {
        var pool = new Pool(Pooling.LAST, 2);
        assertThat(pool.needsAllRows()).isFalse();
        pool.add(hidden(3, 1), 1, 1, 3);
        assertThat(pool.vector()).containsExactly(3, -2);
    }

    @Test
    void aModelWithoutAStateToPoolSaysSo() throws InterruptedException {
        try (EngineFixture fixture = Setup.standard().start()) {
            var request = new GenerationRequest("e", prompt(3, 1), Sampling.greedy(1)).pooled(Pooling.LAST);
            assertThatThrownBy(() -> fixture.engine.submit(request, event -> {})).isInstanceOf(RefusedException.class)
                    .hasMessageContaining("This model gives no embeddings");
        }
    }
}
