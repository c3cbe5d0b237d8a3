package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.maniple.api.graph.BuiltinOp;

/**
 * Cosines and sines of the positions of a step, one line per row. All layers with the same frequencies share it: the first computes a row,
 * the others find that the row's position is still the same. Different rows may be used by different threads.
 */
final class RopeTable {

    private final double[] frequencies;
    private final double scale;
    private final int[] positions;
    private final MemorySegment cosines;
    private final MemorySegment sines;

    RopeTable(BuiltinOp.Rope op, int rows) {
        this.frequencies = op.frequencies().stream().mapToDouble(Double::doubleValue).toArray();
        this.scale = op.scale();
        this.positions = new int[rows];
        Arrays.fill(positions, -1);
        int elements = Math.multiplyExact(rows, frequencies.length);
        this.cosines = Arena.ofAuto().allocate(Math.max(4, 4L * elements), 64);
        this.sines = Arena.ofAuto().allocate(Math.max(4, 4L * elements), 64);
    }

    int rows() {
        return positions.length;
    }

    MemorySegment cosines() {
        return cosines;
    }

    MemorySegment sines() {
        return sines;
    }

    /** Makes a row's line hold a position, and tells where it begins. */
    int line(int row, int position) {
        int at = row * frequencies.length;
        if (positions[row] != position) {
            for (int i = 0; i < frequencies.length; i++) {
                double angle = position * frequencies[i];
                cosines.setAtIndex(JAVA_FLOAT, at + i, (float) (Math.cos(angle) * scale));
                sines.setAtIndex(JAVA_FLOAT, at + i, (float) (Math.sin(angle) * scale));
            }
            positions[row] = position;
        }
        return at;
    }
}
