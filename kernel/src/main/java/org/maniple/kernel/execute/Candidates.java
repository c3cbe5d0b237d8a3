package org.maniple.kernel.execute;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import org.maniple.api.graph.OpCall;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.UnitList;

/** Rows of {@link org.maniple.api.graph.BuiltinOp.TopK}: their scalar implementation, and how two of them are merged. */
final class Candidates {

    private Candidates() {}

    static void select(OpCall call, int k) {
        Tensor logits = call.input(0);
        Tensor out = call.output(0);
        UnitList own = call.units(call.node().inputs().getFirst().dims().get(1).axis());
        for (int row = 0; row < out.rows(); row++) {
            long to = row * (2L * k + 2) * 4;
            clear(out.segment(), to, k);
            float greatest = Float.NEGATIVE_INFINITY;
            for (int i = 0; i < own.size(); i++) {
                float value = ReferenceMath.get(logits, (long) row * own.size() + i);
                greatest = Math.max(greatest, value);
                insert(out.segment(), to, k, value, own.get(i));
            }
            float sum = 0;
            for (int i = 0; i < own.size(); i++) {
                sum += (float) Math.exp(ReferenceMath.get(logits, (long) row * own.size() + i) - greatest);
            }
            out.segment().set(JAVA_FLOAT_UNALIGNED, to + 8L * k, greatest);
            out.segment().set(JAVA_FLOAT_UNALIGNED, to + 8L * k + 4, own.size() == 0 ? 0 : sum);
        }
    }

    static void clear(MemorySegment segment, long at, int k) {
        for (int i = 0; i < k; i++) {
            segment.set(JAVA_FLOAT_UNALIGNED, at + 4L * i, Float.NEGATIVE_INFINITY);
            segment.set(JAVA_INT_UNALIGNED, at + 4L * (k + i), -1);
        }
        segment.set(JAVA_FLOAT_UNALIGNED, at + 8L * k, Float.NEGATIVE_INFINITY);
        segment.set(JAVA_FLOAT_UNALIGNED, at + 8L * k + 4, 0);
    }

    /** Merges a row into another one: the best of both, and the sum of their exponentials relative to the greater maximum. */
    static void merge(MemorySegment into, long at, MemorySegment from, long source, int k) {
        for (int i = 0; i < k; i++) {
            int id = from.get(JAVA_INT_UNALIGNED, source + 4L * (k + i));
            if (id < 0) {
                break;
            }
            insert(into, at, k, from.get(JAVA_FLOAT_UNALIGNED, source + 4L * i), id);
        }
        float mine = into.get(JAVA_FLOAT_UNALIGNED, at + 8L * k);
        float other = from.get(JAVA_FLOAT_UNALIGNED, source + 8L * k);
        float greatest = Math.max(mine, other);
        float sum = scaled(into.get(JAVA_FLOAT_UNALIGNED, at + 8L * k + 4), mine, greatest)
                + scaled(from.get(JAVA_FLOAT_UNALIGNED, source + 8L * k + 4), other, greatest);
        into.set(JAVA_FLOAT_UNALIGNED, at + 8L * k, greatest);
        into.set(JAVA_FLOAT_UNALIGNED, at + 8L * k + 4, sum);
    }

    private static float scaled(float sum, float maximum, float greatest) {
        return sum == 0 ? 0 : sum * (float) Math.exp(maximum - greatest);
    }

    private static void insert(MemorySegment segment, long at, int k, float value, int id) {
        if (!before(value, id, segment, at, k - 1, k)) {
            return;
        }
        int place = k - 1;
        while (place > 0 && before(value, id, segment, at, place - 1, k)) {
            segment.set(JAVA_FLOAT_UNALIGNED, at + 4L * place, segment.get(JAVA_FLOAT_UNALIGNED, at + 4L * (place - 1)));
            segment.set(JAVA_INT_UNALIGNED, at + 4L * (k + place), segment.get(JAVA_INT_UNALIGNED, at + 4L * (k + place - 1)));
            place--;
        }
        segment.set(JAVA_FLOAT_UNALIGNED, at + 4L * place, value);
        segment.set(JAVA_INT_UNALIGNED, at + 4L * (k + place), id);
    }

    /** Whether a candidate comes before the one at a place: greater value, or the same value and a lower id, or the place is free. */
    private static boolean before(float value, int id, MemorySegment segment, long at, int place, int k) {
        int other = segment.get(JAVA_INT_UNALIGNED, at + 4L * (k + place));
        float there = segment.get(JAVA_FLOAT_UNALIGNED, at + 4L * place);
        return other < 0 || value > there || value == there && id < other;
    }
}
