package org.maniple.kernel.step;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.maniple.kernel.step.StepBatch.Limits;
import org.maniple.kernel.step.StepBatch.Rows;

class StepBatchTest {

    private static final Limits LIMITS = new Limits(64, 8, 40, 16, 4);
    private static final int BLOCKS = 100;
    private static final int VOCABULARY = 500;

    private final MemorySegment frame = MemorySegment.ofArray(new byte[(int) StepBatch.maxBytes(LIMITS)]);

    private static StepBatch batch() {
        return new StepBatch(LIMITS, BLOCKS, VOCABULARY);
    }

    private static StepBatch example() {
        StepBatch batch = batch();
        batch.clear(7);
        batch.addSpan(11, 5, new int[] {0, 400}, 1, 1, Rows.LAST, new int[] {9, 3}, 2);
        batch.addSpan(12, 0, new int[] {1, 2, 3, 4, 5}, 0, 5, Rows.NONE, new int[] {1, 2, 99}, 2);
        batch.addSpan(13, 4, new int[] {6, 7, 8}, 0, 3, Rows.ALL, new int[] {50, 51}, 2);
        batch.needFullRows(true);
        return batch;
    }

    private static String contents(StepBatch batch) {
        var text = new StringBuilder(batch + " full " + batch.fullRows());
        for (int row = 0; row < batch.tokens(); row++) {
            text.append(" t").append(batch.token(row)).append('@').append(batch.position(row)).append('/')
                    .append(batch.spanOf(row))
                    .append('=').append(batch.slot(batch.spanOf(row), batch.position(row)));
        }
        for (int span = 0; span < batch.spans(); span++) {
            text.append(" s").append(batch.sequence(span)).append(':').append(batch.spanStart(span)).append('+')
                    .append(batch.spanLength(span)).append(batch.rowsOf(span));
        }
        for (int row = 0; row < batch.selectedRows(); row++) {
            text.append(" r").append(batch.selectedRow(row));
        }
        return text.toString();
    }

    @Test
    void rowsOfActivationsAreTheTokensOfAllSpansInOrder() {
        StepBatch batch = example();
        assertEquals(9, batch.tokens());
        assertArrayEquals(new int[] {400, 1, 2, 3, 4, 5, 6, 7, 8}, IntStream.range(0, 9).map(batch::token).toArray());
        assertArrayEquals(new int[] {5, 0, 1, 2, 3, 4, 4, 5, 6}, IntStream.range(0, 9).map(batch::position).toArray());
        assertArrayEquals(new int[] {0, 1, 1, 1, 1, 1, 2, 2, 2}, IntStream.range(0, 9).map(batch::spanOf).toArray());
    }

    @Test
    void selectedRowsAreTheLastOrAllTokensOfTheirSpans() {
        StepBatch batch = example();
        assertArrayEquals(new int[] {0, 6, 7, 8}, IntStream.range(0, batch.selectedRows()).map(batch::selectedRow).toArray());
    }

    @Test
    void aPositionLiesInTheBlockThatItsTableNames() {
        StepBatch batch = example();
        assertEquals(3 * 4 + 1, batch.slot(0, 5));
        assertEquals(9 * 4, batch.slot(0, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> batch.slot(0, 8));
    }

    @Test
    void aFrameGivesTheSameStep() {
        StepBatch batch = example();
        StepBatch other = batch();
        other.decode(frame, batch.encode(frame));
        assertEquals(contents(batch), contents(other));
    }

    @Test
    void randomStepsSurviveTheirFrame() {
        var random = new Random(1);
        StepBatch batch = batch();
        StepBatch other = batch();
        for (int round = 0; round < 2_000; round++) {
            fillRandomly(batch, random, round);
            long bytes = batch.encode(frame);
            assertTrue(bytes <= StepBatch.maxBytes(LIMITS));
            other.decode(frame, bytes);
            assertEquals(contents(batch), contents(other));
        }
    }

    private static void fillRandomly(StepBatch batch, Random random, long number) {
        batch.clear(number);
        batch.needFullRows(random.nextBoolean());
        int spans = random.nextInt(LIMITS.maxSpans() + 1);
        for (int span = 0; span < spans; span++) {
            int[] ids = random.ints(1 + random.nextInt(6), 0, VOCABULARY).toArray();
            int[] table = random.ints(2 + random.nextInt(3), 0, BLOCKS).toArray();
            int position = random.nextInt(table.length * 4 - ids.length + 1);
            Rows rows = ids.length <= 2 ? Rows.ALL : random.nextBoolean() ? Rows.LAST : Rows.NONE;
            batch.addSpan(random.nextLong(), position, ids, 0, ids.length, rows, table, table.length);
        }
    }

    @Test
    void anOrderAboutExpertsTravelsWithItsStep() {
        StepBatch batch = example();
        batch.orderExperts(ExpertOrder.COMMIT, 7, 3, 12);
        StepBatch other = batch();
        other.decode(frame, batch.encode(frame));
        assertEquals(ExpertOrder.COMMIT, other.expertOrder());
        assertEquals(7, other.expertRound());
        assertEquals(3, other.expertChunk());
        assertEquals(12, other.expertVersion());
        assertTrue(other.fullRows());
        other.clear(8);
        assertEquals(ExpertOrder.NONE, other.expertOrder());
        assertEquals(0, other.expertRound() + other.expertChunk() + other.expertVersion());
    }

    @Test
    void ordersAboutExpertsMustMakeSense() {
        StepBatch batch = example();
        assertThrows(IllegalArgumentException.class, () -> batch.orderExperts(ExpertOrder.NONE, 1, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> batch.orderExperts(ExpertOrder.COLLECT, 0, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> batch.orderExperts(ExpertOrder.COLLECT, 1, 1, 0));
        assertThrows(IllegalArgumentException.class, () -> batch.orderExperts(ExpertOrder.COMMIT, 1, 4096, 1));
        assertThrows(IllegalArgumentException.class, () -> batch.orderExperts(ExpertOrder.COMMIT, 1, -1, 1));
        var wrong = assertThrows(IllegalArgumentException.class, () -> batch.orderExperts(ExpertOrder.COMMIT, 1, 0, 0));
        assertEquals(
                "order [COMMIT] about experts with round [1], chunk [0] and version [0]; rounds count from 1, only a commit has a "
                        + "chunk, from 0 to 4095, and versions do not count backwards",
                wrong.getMessage());
        batch.orderExperts(ExpertOrder.ABANDON, 1, 0, 0);
        long bytes = batch.encode(frame);
        for (int at : new int[] {32, 36, 40}) {
            int before = frame.get(ValueLayout.JAVA_INT_UNALIGNED, at);
            frame.set(ValueLayout.JAVA_INT_UNALIGNED, at, -1);
            assertThrows(StepFrameException.class, () -> batch().decode(frame, bytes));
            frame.set(ValueLayout.JAVA_INT_UNALIGNED, at, before);
        }
        batch().decode(frame, bytes);
    }

    @Test
    void aPassThatGuessesSaysFromWhichRowsItGoesOn() {
        StepBatch pass = batch();
        pass.clearForDraft(7);
        pass.addSpan(11, 5, new int[] {0, 400}, 1, 1, Rows.LAST, new int[] {9, 3}, 2);
        pass.goesOnFrom(3);
        pass.addSpan(13, 4, new int[] {6, 7, 8}, 0, 3, Rows.NONE, new int[] {50, 51}, 2);
        pass.goesOnFrom(61);
        StepBatch received = batch();
        received.decode(frame, pass.encode(frame));
        assertEquals(StepBatch.KIND_DRAFT, received.kind());
        assertEquals(contents(pass), contents(received));
        assertArrayEquals(new int[] {3, 61}, new int[] {received.source(0), received.source(1)});
        assertThrows(IndexOutOfBoundsException.class, () -> pass.goesOnFrom(62), "only 64 tokens fit into a step");
    }

    @Test
    void signalsCarryNoTokens() {
        StepBatch batch = example();
        batch.signal(StepBatch.KIND_SHUTDOWN, 9);
        StepBatch other = example();
        other.decode(frame, batch.encode(frame));
        assertEquals(StepBatch.KIND_SHUTDOWN, other.kind());
        assertEquals(9, other.stepNumber());
        assertEquals(0, other.tokens() + other.spans() + other.selectedRows());
        assertThrows(IllegalArgumentException.class, () -> batch.signal(StepBatch.KIND_STEP, 1));
    }

    @Test
    void aSpanBeyondTheLimitsIsNotAdded() {
        StepBatch batch = example();
        String before = contents(batch);
        int[] table = new int[20];
        assertThrows(IllegalArgumentException.class, () -> batch.addSpan(1, 0, new int[56], 0, 56, Rows.NONE, table, 14));
        assertThrows(IllegalArgumentException.class, () -> batch.addSpan(1, 0, new int[50], 0, 50, Rows.ALL, table, 14));
        assertThrows(IllegalArgumentException.class, () -> batch.addSpan(1, 3, new int[2], 0, 2, Rows.LAST, table, 1));
        assertThrows(IllegalArgumentException.class, () -> batch.addSpan(1, 0, new int[] {500}, 0, 1, Rows.LAST, table, 1));
        assertThrows(IllegalArgumentException.class, () -> batch.addSpan(1, 0, new int[1], 0, 1, Rows.LAST, new int[] {100}, 1));
        assertEquals(before, contents(batch));
    }

    @Test
    void aRefusedFrameIsExplainedAndLeavesNothing() {
        StepBatch other = example();
        long bytes = example().encode(frame);
        frame.set(ValueLayout.JAVA_INT_UNALIGNED, bytes - 4, 100);
        var refused = assertThrows(StepFrameException.class, () -> other.decode(frame, bytes));
        assertEquals("block number [100] in span 2 is not from 0 to 99", refused.getMessage());
        assertEquals(0, other.tokens() + other.spans() + other.selectedRows());
    }

    @Test
    void lengthsMustAgree() {
        long bytes = example().encode(frame);
        for (long wrong : new long[] {-1, 0, 31, bytes - 1, bytes + 1, frame.byteSize() + 1, Long.MAX_VALUE}) {
            assertThrows(StepFrameException.class, () -> batch().decode(frame, wrong));
        }
    }

    @Test
    void mutatedFramesAreRefusedOrAreValidSteps() {
        var random = new Random(2);
        StepBatch batch = batch();
        StepBatch other = batch();
        int refused = 0;
        for (int round = 0; round < 100_000; round++) {
            fillRandomly(batch, random, round);
            long bytes = batch.encode(frame);
            mutate(random, bytes);
            try {
                other.decode(frame, random.nextInt(10) == 0 ? random.nextLong(frame.byteSize() + 2) : bytes);
                requireSafe(other);
            } catch (StepFrameException expected) {
                refused++;
                assertEquals(0, other.tokens() + other.spans() + other.selectedRows());
            }
        }
        assertTrue(refused > 10_000 && refused < 100_000, "refused " + refused);
    }

    private void mutate(Random random, long bytes) {
        for (int change = random.nextInt(4); change >= 0; change--) {
            long at = random.nextLong(bytes);
            switch (random.nextInt(3)) {
                case 0 -> frame.set(ValueLayout.JAVA_BYTE, at, (byte) random.nextInt());
                case 1 ->
                    frame.set(ValueLayout.JAVA_BYTE, at, (byte) (frame.get(ValueLayout.JAVA_BYTE, at) ^ 1 << random.nextInt(8)));
                default -> frame.set(ValueLayout.JAVA_INT_UNALIGNED, at & ~3L,
                        new int[] {-1, 0, 1, Integer.MAX_VALUE, Integer.MIN_VALUE, 64, 1 << 29}[random.nextInt(7)]);
            }
        }
    }

    private static void requireSafe(StepBatch batch) {
        for (int row = 0; row < batch.tokens(); row++) {
            int slot = batch.slot(batch.spanOf(row), batch.position(row));
            assertTrue(slot >= 0 && slot < BLOCKS * 4);
            assertTrue(batch.token(row) >= 0 && batch.token(row) < VOCABULARY);
        }
        int previous = -1;
        for (int row = 0; row < batch.selectedRows(); row++) {
            assertTrue(batch.selectedRow(row) > previous && batch.selectedRow(row) < batch.tokens());
            previous = batch.selectedRow(row);
        }
    }
}
