package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.maniple.api.graph.ElementFunction;
import org.maniple.api.graph.ElementFunction.Activation;

/** Native operations on rows have to give the bits of Java on a small row before they are used. */
final class RowsCheck {

    private static final int LENGTH = 45;
    private static final int BLOCK = 64;

    private RowsCheck() {}

    /** Whether they compute the same bits. */
    static boolean agrees(NativeFunctions functions) {
        try (var workers = new Workers(1, 1)) {
            var products = new VectorProducts();
            var precision = new Precision(false, false);
            return results(Shared.of(workers, products, precision, Optional.of(functions)))
                    .mismatch(results(Shared.of(workers, products, precision))) < 0;
        }
    }

    private static MemorySegment results(Shared shared) {
        Arena arena = Arena.ofAuto();
        MemorySegment x = arena.allocate(4L * BLOCK, 64);
        for (int i = 0; i < LENGTH; i++) {
            x.setAtIndex(JAVA_FLOAT, i, (i * 37 % 64 - 31) / 7f);
        }
        MemorySegment out = arena.allocate(16L * BLOCK, 64);
        int at = 0;
        for (ElementFunction function : new ElementFunction[] {new ElementFunction.Add(),
            new ElementFunction.Glu(Activation.SILU), new ElementFunction.Glu(Activation.GELU_TANH)}) {
            new ElementRange(function, shared).apply(x, 0, x, 0, out, 4L * BLOCK * at++, LENGTH, 0);
        }
        MemorySegment squares = out.asSlice(4L * BLOCK * at);
        NativeRows rows = shared.rows();
        if (rows == null) {
            squares.set(JAVA_FLOAT, 0, Lanes.sumOfSquares(x, 0, LENGTH, shared.scratch()[0].lanes()));
        } else {
            MemorySegment ends = arena.allocate(4, 4);
            ends.set(JAVA_INT, 0, LENGTH);
            rows.norm(x, 0, squares, 0, ends, MemorySegment.NULL, x, 1, LENGTH, LENGTH, 0);
        }
        return out;
    }
}
