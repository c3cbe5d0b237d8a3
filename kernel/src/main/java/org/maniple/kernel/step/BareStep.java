package org.maniple.kernel.step;

import org.maniple.api.step.Step;

/**
 * A step that has nothing but rows of one sequence: what products look at.
 *
 * @param tokens how many rows
 */
public record BareStep(int tokens) implements Step {

    @Override
    public int token(int row) {
        return 0;
    }

    @Override
    public int position(int row) {
        return row;
    }

    @Override
    public int spanOf(int row) {
        return 0;
    }

    @Override
    public int spans() {
        return 1;
    }

    @Override
    public int spanStart(int span) {
        return 0;
    }

    @Override
    public int spanLength(int span) {
        return tokens;
    }

    @Override
    public int blockSize() {
        return 16;
    }

    @Override
    public int block(int span, int index) {
        return index;
    }

    @Override
    public int selectedRows() {
        return 0;
    }

    @Override
    public int selectedRow(int index) {
        return index;
    }
}
