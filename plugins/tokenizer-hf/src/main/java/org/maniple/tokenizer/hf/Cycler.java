package org.maniple.tokenizer.hf;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Jinja's {@code cycler}: gives its values in turn. */
final class Cycler implements TemplateObject.Function {
    private final List<@Nullable Object> values;
    private int position;

    Cycler(List<@Nullable Object> values) {
        if (values.isEmpty()) {
            throw TemplateException.failed("at least one item has to be provided");
        }
        this.values = values;
    }

    /** A field or method, or null where there is none of this name. */
    @Nullable
    Object field(String name) {
        return switch (name) {
            case "current" -> values.get(position);
            case "next" -> (TemplateObject.Function) arguments -> next();
            case "reset" -> (TemplateObject.Function) arguments -> reset();
            default -> null;
        };
    }

    private @Nullable Object next() {
        var value = values.get(position);
        position = (position + 1) % values.size();
        return value;
    }

    private @Nullable Object reset() {
        position = 0;
        return null;
    }

    @Override
    public @Nullable Object call(CallArguments arguments) {
        throw TemplateException.failed("'Cycler' object is not callable");
    }
}
