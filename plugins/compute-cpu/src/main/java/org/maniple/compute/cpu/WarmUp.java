package org.maniple.compute.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.maniple.api.tensor.DType;

/**
 * Runs vector loops on small operands until C2 has compiled them. Interpreted, they are a thousand times slower, and a large
 * matrix would stay in the interpreter for seconds. Each kind is given half a second at most; what is not compiled by then is compiled
 * while serving.
 * For use by the rank's own thread.
 */
final class WarmUp {

    private static final int LENGTH = 256;
    private static final int ROWS = 8;
    private static final int CALLS_OF_BLOCK = 50;
    /** What a call takes once it is compiled is a tenth of this; boxed vectors take ten times this. */
    private static final long COMPILED_NANOS = 20_000;
    private static final long LIMIT_NANOS = 500_000_000;

    private final Set<DType> types = EnumSet.noneOf(DType.class);
    private final float[] lanes = new float[Lanes.SCRATCH];
    private final MemorySegment a = Arena.ofAuto().allocate(4L * ROWS * LENGTH, 64);
    private final MemorySegment b = Arena.ofAuto().allocate(4L * ROWS * LENGTH, 64);
    private final MemorySegment out = Arena.ofAuto().allocate(4L * ROWS * LENGTH, 64);

    /** Products with weights of a type, if it has kernels and this has not been done. */
    void products(DType type) {
        if (!types.add(type)) {
            return;
        }
        if (type == DType.F8_E4M3) {
            products(new ScaledProduct(new int[] {LENGTH}, List.of(LENGTH / 2, LENGTH), false), LENGTH);
        } else {
            WeightRows.of(type).ifPresent(rows -> products(new PlainProduct(rows, LENGTH), (long) LENGTH * rows.bytes()));
        }
    }

    private void products(Product product, long stride) {
        repeat(() -> {
            product.compute(a, 0, stride, b, 0, ROWS, b, 0, 4L * LENGTH, 1, out, 0, 4L * ROWS, lanes);
            product.compute(a, 0, stride, b, 0, ROWS, b, 0, 4L * LENGTH, 4, out, 0, 4L * ROWS, lanes);
        });
    }

    /** What every model computes between its products. */
    void common() {
        repeat(() -> {
            Functions.add(a, 0, b, 0, out, 0, LENGTH);
            Functions.silu(a, 0, out, 0, LENGTH);
            Functions.multiply(a, 0, b, 0, out, 0, LENGTH);
            Lanes.sumOfSquares(a, 0, LENGTH, lanes);
            Lanes.sum(a, 0, LENGTH, lanes);
            Functions.scale(a, 0, 1, out, 0, LENGTH);
            Lanes.greatest(a, 0, LENGTH, lanes);
            Functions.subtract(a, 0, 1, out, 0, LENGTH);
            WeightedRows.add(a, 0, 4L * LENGTH, ROWS, b, 0, out, 0, LENGTH);
        });
    }

    /** Calls until a block of calls is as fast as compiled code, or the time is up. */
    private static void repeat(Runnable calls) {
        long begin = System.nanoTime();
        long now = begin;
        long took = Long.MAX_VALUE;
        while (took > CALLS_OF_BLOCK * COMPILED_NANOS && now - begin < LIMIT_NANOS) {
            for (int i = 0; i < CALLS_OF_BLOCK; i++) {
                calls.run();
            }
            long after = System.nanoTime();
            took = after - now;
            now = after;
        }
    }
}
