package org.maniple.tokenizer.hf;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The {@code loop} of a for statement. */
final class LoopValue implements TemplateObject.Loop {
    private final List<@Nullable Object> elements;
    private final int depth;
    private final Optional<TemplateObject.Function> again;
    private final RenderBudget budget;
    private int index;
    private @Nullable List<@Nullable Object> lastSeen;

    /**
     * @param depth how many recursive loops are around this one
     * @param again runs the loop over other elements, where it is recursive
     */
    LoopValue(List<@Nullable Object> elements, int depth, Optional<TemplateObject.Function> again, RenderBudget budget) {
        this.elements = elements;
        this.depth = depth;
        this.again = again;
        this.budget = budget;
    }

    void moveTo(int where) {
        index = where;
    }

    @Override
    public @Nullable Object field(String name) {
        int size = elements.size();
        return switch (name) {
            case "index" -> index + 1L;
            case "index0" -> (long) index;
            case "revindex" -> (long) size - index;
            case "revindex0" -> (long) size - index - 1;
            case "first" -> index == 0;
            case "last" -> index == size - 1;
            case "length" -> (long) size;
            case "depth" -> depth + 1L;
            case "depth0" -> (long) depth;
            case "previtem" -> index > 0 ? orNone(elements.get(index - 1)) : new TemplateObject.Undefined("loop.previtem");
            case "nextitem" -> index < size - 1 ? orNone(elements.get(index + 1)) : new TemplateObject.Undefined("loop.nextitem");
            case "cycle" -> (TemplateObject.Function) this::cycle;
            case "changed" -> (TemplateObject.Function) this::changed;
            default -> null;
        };
    }

    /** A field that is none reads as undefined: null means that there is no such field. */
    private static Object orNone(@Nullable Object value) {
        return value == null ? new TemplateObject.Undefined("a neighbour that is none") : value;
    }

    private @Nullable Object cycle(CallArguments arguments) {
        if (arguments.positional().isEmpty()) {
            throw TemplateException.failed("no items for cycling given");
        }
        return arguments.positional().get(index % arguments.positional().size());
    }

    private Object changed(CallArguments arguments) {
        var now = new ArrayList<@Nullable Object>(arguments.positional());
        boolean same = lastSeen != null && PythonValues.equal(lastSeen, now, budget);
        lastSeen = now;
        return !same;
    }

    @Override
    public @Nullable Object call(CallArguments arguments) {
        return again.orElseThrow(() -> TemplateException
                .failed("The loop must have the 'recursive' marker to be called recursively.")).call(arguments);
    }
}
