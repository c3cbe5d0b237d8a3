package org.maniple.tokenizer.hf;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code value[start:stop:step]} as in Python. */
final class Slicing {
    private Slicing() {}

    static Object slice(@Nullable Object value, @Nullable Long start, @Nullable Long stop, @Nullable Long step,
            RenderBudget budget) {
        long by = step == null ? 1 : step;
        if (by == 0) {
            throw TemplateException.failed("slice step cannot be zero");
        }
        return switch (value) {
            case String text -> text(text, start, stop, by, budget);
            case TemplateObject.Tuple tuple -> new TemplateObject.Tuple(list(tuple, start, stop, by, budget));
            case List<?> list -> list(list, start, stop, by, budget);
            case TemplateObject.Undefined undefined -> throw undefined.failure();
            case null, default -> new TemplateObject.Undefined("a slice of a " + PythonValues.type(value));
        };
    }

    private static String text(String text, @Nullable Long start, @Nullable Long stop, long step, RenderBudget budget) {
        budget.text(text.length());
        var points = text.codePoints().toArray();
        var out = new StringBuilder();
        long from = first(start, step, points.length);
        long to = limit(stop, step, points.length);
        for (long at = from; step > 0 ? at < to : at > to; at += step) {
            out.appendCodePoint(points[(int) at]);
            if (step > points.length || step < -points.length) {
                break;
            }
        }
        return out.toString();
    }

    private static List<@Nullable Object> list(List<?> list, @Nullable Long start, @Nullable Long stop, long step,
            RenderBudget budget) {
        budget.list(list.size());
        var out = new ArrayList<@Nullable Object>();
        long from = first(start, step, list.size());
        long to = limit(stop, step, list.size());
        for (long at = from; step > 0 ? at < to : at > to; at += step) {
            out.add(list.get((int) at));
            if (step > list.size() || step < -list.size()) {
                break;
            }
        }
        return out;
    }

    private static long first(@Nullable Long start, long step, int length) {
        if (start == null) {
            return step > 0 ? 0 : length - 1;
        }
        return clamp(start < 0 ? start + length : start, step, length);
    }

    private static long limit(@Nullable Long stop, long step, int length) {
        if (stop == null) {
            return step > 0 ? length : -1;
        }
        return clamp(stop < 0 ? stop + length : stop, step, length);
    }

    private static long clamp(long index, long step, int length) {
        return step > 0 ? Math.clamp(index, 0, length) : Math.clamp(index, -1, length - 1);
    }
}
