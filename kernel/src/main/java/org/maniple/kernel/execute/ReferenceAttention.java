package org.maniple.kernel.execute;

import static org.maniple.kernel.execute.ReferenceMath.get;
import static org.maniple.kernel.execute.ReferenceMath.set;

import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.OpCall;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.CachedRows;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.UnitList;

/** Scalar implementations of rotary positions, the cache, and attention. */
final class ReferenceAttention {

    private ReferenceAttention() {}

    static void rope(OpCall call, BuiltinOp.Rope op, Step step) {
        Tensor x = call.input(0);
        Tensor out = call.output(0);
        int length = x.extent(x.rank() - 1);
        int pairs = op.frequencies().size();
        for (int row = 0; row < out.rows(); row++) {
            for (int start = 0; start < x.width(); start += length) {
                long at = (long) row * x.width() + start;
                for (int i = 2 * pairs; i < length; i++) {
                    set(out, at + i, get(x, at + i));
                }
                for (int pair = 0; pair < pairs; pair++) {
                    double angle = step.position(row) * op.frequencies().get(pair);
                    float cos = (float) (Math.cos(angle) * op.scale());
                    float sin = (float) (Math.sin(angle) * op.scale());
                    long first = at + (op.interleaved() ? 2L * pair : pair);
                    long second = op.interleaved() ? first + 1 : first + pairs;
                    float a = get(x, first);
                    float b = get(x, second);
                    set(out, first, a * cos - b * sin);
                    set(out, second, b * cos + a * sin);
                }
            }
        }
    }

    static void cache(OpCall call, Step step) {
        Tensor x = call.input(0);
        Tensor state = call.input(1);
        for (int row = 0; row < x.rows(); row++) {
            long slot = step.slot(step.spanOf(row), step.position(row));
            CachedRows.store(state, slot, x.segment(), 4L * row * x.width());
        }
    }

    static void attend(OpCall call, BuiltinOp.Attend op, Step step) {
        Dim heads = call.node().inputs().getFirst().dims().get(1);
        Dim kvHeads = call.node().inputs().get(1).dims().get(1);
        UnitList own = call.units(heads.axis());
        UnitList held = call.units(kvHeads.axis());
        int group = heads.extent() / kvHeads.extent();
        for (int row = 0; row < call.output(0).rows(); row++) {
            for (int head = 0; head < own.size(); head++) {
                attend(call, op, step, row, head, held.indexOf(own.get(head) / group));
            }
        }
    }

    private static void attend(OpCall call, BuiltinOp.Attend op, Step step, int row, int head, int kvHead) {
        Tensor q = call.input(0);
        Tensor keys = call.input(1);
        Tensor values = call.input(2);
        Tensor out = call.output(0);
        int length = q.extent(2);
        int width = out.extent(2);
        int span = step.spanOf(row);
        int last = step.position(row);
        int first = op.window() == 0 ? 0 : Math.max(0, last - op.window() + 1);
        long query = (long) row * q.width() + (long) head * length;
        long result = (long) row * out.width() + (long) head * width;
        float greatest = Float.NEGATIVE_INFINITY;
        for (int position = first; position <= last; position++) {
            greatest = Math.max(greatest, score(q, query, keys, step.slot(span, position), kvHead, length, op.scale()));
        }
        for (int i = 0; i < width; i++) {
            set(out, result + i, 0);
        }
        double sum = 0;
        if (call.inputs().size() > 3) {
            float sink = get(call.input(3), head);
            float least = Math.max(greatest, sink);
            sum = Math.exp(sink - least);
            greatest = least;
        }
        for (int position = first; position <= last; position++) {
            int slot = step.slot(span, position);
            float weight = (float) Math.exp(score(q, query, keys, slot, kvHead, length, op.scale()) - greatest);
            sum += weight;
            long value = (long) slot * values.width() + (long) kvHead * width;
            for (int i = 0; i < width; i++) {
                set(out, result + i, get(out, result + i) + weight * CachedRows.element(values, value + i));
            }
        }
        for (int i = 0; i < width; i++) {
            set(out, result + i, (float) (get(out, result + i) / sum));
        }
    }

    /** Expanded: every cached latent becomes a key and a value of the head. */
    static void attendLatent(OpCall call, BuiltinOp.AttendLatent op, Step step) {
        Tensor out = call.output(0);
        int width = out.extent(2);
        for (int row = 0; row < out.rows(); row++) {
            int span = step.spanOf(row);
            int last = step.position(row);
            for (int head = 0; head < out.extent(1); head++) {
                double[] scores = new double[last + 1];
                double greatest = Double.NEGATIVE_INFINITY;
                for (int position = 0; position <= last; position++) {
                    scores[position] = latentScore(call, row, head, step.slot(span, position)) * op.scale();
                    greatest = Math.max(greatest, scores[position]);
                }
                double sum = 0;
                double[] result = new double[width];
                for (int position = 0; position <= last; position++) {
                    double weight = Math.exp(scores[position] - greatest);
                    sum += weight;
                    for (int i = 0; i < width; i++) {
                        result[i] += weight * mapped(call.input(5), head, i, call.input(2), step.slot(span, position));
                    }
                }
                for (int i = 0; i < width; i++) {
                    set(out, (long) row * out.width() + (long) head * width + i, (float) (result[i] / sum));
                }
            }
        }
    }

    private static double latentScore(OpCall call, int row, int head, int slot) {
        Tensor queries = call.input(0);
        Tensor turned = call.input(1);
        Tensor turnedKeys = call.input(3);
        double sum = 0;
        for (int i = 0; i < queries.extent(2); i++) {
            sum += get(queries, (long) row * queries.width() + (long) head * queries.extent(2) + i)
                    * mapped(call.input(4), head, i, call.input(2), slot);
        }
        for (int i = 0; i < turned.extent(2); i++) {
            sum += (double) get(turned, (long) row * turned.width() + (long) head * turned.extent(2) + i)
                    * CachedRows.element(turnedKeys, (long) slot * turnedKeys.width() + i);
        }
        return sum;
    }

    /** One element of what a head's map makes of a latent. */
    private static double mapped(Tensor map, int head, int index, Tensor latents, int slot) {
        int length = latents.width();
        int row = head * map.extent(1) + index;
        float[] elements = ReferenceMath.elements(map, 0, row, length);
        double sum = 0;
        for (int i = 0; i < length; i++) {
            sum += (double) (elements[i] * ReferenceMath.factor(map, 0, row, i))
                    * CachedRows.element(latents, (long) slot * length + i);
        }
        return sum;
    }

    private static float score(Tensor q, long query, Tensor keys, int slot, int kvHead, int length, double scale) {
        long key = (long) slot * keys.width() + (long) kvHead * length;
        float sum = 0;
        for (int i = 0; i < length; i++) {
            sum += get(q, query + i) * CachedRows.element(keys, key + i);
        }
        return (float) (sum * scale);
    }
}
