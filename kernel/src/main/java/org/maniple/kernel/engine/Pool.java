package org.maniple.kernel.engine;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import org.maniple.api.engine.Pooling;

/**
 * Makes one vector of the rows of a prompt as they come, however the prompt is cut. Rows are added in their order, so that the vector has the same bits
 * whatever shares its steps. Used by the engine's thread alone.
 */
final class Pool {

    private final Pooling how;
    private final int width;
    private final double[] sums;
    private int positions;

    Pool(Pooling how, int width) {
        this.how = how;
        this.width = width;
        this.sums = new double[width];
    }

    boolean needsAllRows() {
        return how == Pooling.MEAN;
    }

    /**
     * Adds rows.
     *
     * @param hidden the rows of a step
     * @param first the first of them that is meant
     * @param rows how many
     * @param position the position of the first one; what has been added is not added again after a preemption
     */
    void add(MemorySegment hidden, int first, int rows, int position) {
        for (int row = 0; row < rows; row++) {
            int at = position + row;
            if (how == Pooling.MEAN && at != positions) {
                continue;
            }
            long from = (long) (first + row) * width * Float.BYTES;
            for (int i = 0; i < width; i++) {
                float value = hidden.get(JAVA_FLOAT_UNALIGNED, from + (long) i * Float.BYTES);
                sums[i] = how == Pooling.LAST ? value : sums[i] + value;
            }
            positions = how == Pooling.LAST ? 1 : at + 1;
        }
    }

    float[] vector() {
        float[] vector = new float[width];
        for (int i = 0; i < width; i++) {
            vector[i] = (float) (sums[i] / positions);
        }
        return vector;
    }
}
