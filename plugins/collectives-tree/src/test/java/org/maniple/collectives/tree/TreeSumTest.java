package org.maniple.collectives.tree;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** The order of additions, with numbers of which every other order gives another sum. */
class TreeSumTest {

    private static final float BIG = 1 << 24;

    private static float sum(float... addends) {
        var segments = new MemorySegment[addends.length];
        for (int i = 0; i < addends.length; i++) {
            segments[i] = Arena.ofAuto().allocateFrom(ValueLayout.JAVA_FLOAT, addends[i]);
        }
        new TreeSum().add(segments, segments.length, Float.BYTES, segments[0]);
        return segments[0].get(ValueLayout.JAVA_FLOAT, 0);
    }

    @Test
    void pairsAreAddedBeforePairsOfPairs() {
        assertThat(sum(BIG, 1, 1, -BIG)).isEqualTo((BIG + 1) + (1 - BIG)).isNotEqualTo(((BIG + 1) + 1) - BIG);
    }

    @Test
    void threeAreSplitAfterTwo() {
        assertThat(sum(BIG, 1, 1)).isEqualTo((BIG + 1) + 1).isNotEqualTo(BIG + (1 + 1));
    }

    @Test
    void sevenAreSplitAfterFourAndTwo() {
        assertThat(sum(1, 2, 3, BIG, 1, 1, 1)).isEqualTo(((1 + 2) + (3 + BIG)) + ((1 + 1) + 1f));
    }

    @Test
    void oneAddendIsItsOwnSum() {
        assertThat(sum(3.5f)).isEqualTo(3.5f);
    }

    @Test
    void blocksDoNotShow() {
        int count = 5000;
        var segments = new MemorySegment[] {Arena.ofAuto().allocate(4L * count), Arena.ofAuto().allocate(4L * count)};
        for (int i = 0; i < count; i++) {
            segments[0].setAtIndex(ValueLayout.JAVA_FLOAT, i, i);
            segments[1].setAtIndex(ValueLayout.JAVA_FLOAT, i, 0.5f);
        }
        new TreeSum().add(segments, 2, 4L * count, segments[1]);
        for (int i = 0; i < count; i++) {
            assertThat(segments[1].getAtIndex(ValueLayout.JAVA_FLOAT, i)).isEqualTo(i + 0.5f);
        }
    }
}
