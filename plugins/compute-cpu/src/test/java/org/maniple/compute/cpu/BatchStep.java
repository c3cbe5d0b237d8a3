package org.maniple.compute.cpu;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.maniple.api.step.Step;

/** A step of spans, whose blocks are scattered over the cache. */
final class BatchStep implements Step {

    private static final int BLOCK = 16;

    private final List<int[]> spans = new ArrayList<>();
    private final List<Integer> blocks = new ArrayList<>();
    private final List<int[]> tables = new ArrayList<>();
    private int[] selected = {};
    private int tokens;

    /** A step without spans; block tables take blocks from a shuffled list of this many. */
    BatchStep(int blockCount) {
        for (int i = 0; i < blockCount; i++) {
            blocks.add(i);
        }
        Collections.shuffle(blocks, new Random(7));
    }

    /** Adds a span with blocks of its own. */
    BatchStep span(int firstPosition, int length) {
        int[] table = new int[Math.ceilDiv(firstPosition + length, BLOCK)];
        for (int i = 0; i < table.length; i++) {
            table[i] = blocks.removeFirst();
        }
        return span(firstPosition, length, table);
    }

    /** Adds a span of a sequence that has blocks already. */
    BatchStep span(int firstPosition, int length, int[] table) {
        spans.add(new int[] {firstPosition, length, tokens});
        tables.add(table);
        tokens += length;
        return this;
    }

    BatchStep select(int... rows) {
        selected = rows;
        return this;
    }

    int[] table(int span) {
        return tables.get(span);
    }

    @Override
    public int tokens() {
        return tokens;
    }

    @Override
    public int token(int row) {
        return 0;
    }

    @Override
    public int position(int row) {
        int[] span = spans.get(spanOf(row));
        return span[0] + row - span[2];
    }

    @Override
    public int spanOf(int row) {
        for (int i = 0; i < spans.size(); i++) {
            if (row < spans.get(i)[2] + spans.get(i)[1]) {
                return i;
            }
        }
        throw new IndexOutOfBoundsException("row " + row + " of " + tokens);
    }

    @Override
    public int spans() {
        return spans.size();
    }

    @Override
    public int spanStart(int span) {
        return spans.get(span)[2];
    }

    @Override
    public int spanLength(int span) {
        return spans.get(span)[1];
    }

    @Override
    public int blockSize() {
        return BLOCK;
    }

    @Override
    public int block(int span, int index) {
        return tables.get(span)[index];
    }

    @Override
    public int selectedRows() {
        return selected.length;
    }

    @Override
    public int selectedRow(int index) {
        return selected[index];
    }
}
