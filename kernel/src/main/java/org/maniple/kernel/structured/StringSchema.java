package org.maniple.kernel.structured;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Strings with bounds on their length, a pattern or a format. */
final class StringSchema {

    private final JsonForms forms;

    StringSchema(JsonForms forms) {
        this.forms = forms;
    }

    Expression read(JsonNode schema, SchemaBounds bounds) {
        int least = bounds.count(schema, "minLength", 0);
        int most = bounds.count(schema, "maxLength", Expression.UNBOUNDED);
        Optional<String> format = bounds.text(schema, "format").flatMap(StringFormats::pattern);
        Optional<String> pattern = bounds.text(schema, "pattern");
        if (format.isPresent() && pattern.isPresent()) {
            throw new ConstraintException("`pattern` beside `format` is not supported at " + bounds.place());
        }
        if (format.isPresent()) {
            String expression = format.get();
            return patterned(new RegexReader(expression, CharacterForm.PLAIN).readWhole(),
                    new RegexReader(expression, CharacterForm.JSON).readWhole(), least, most, bounds.place());
        }
        if (pattern.isPresent()) {
            String expression = pattern.get();
            try {
                return patterned(new RegexReader(expression, CharacterForm.PLAIN).readWithin(),
                        new RegexReader(expression, CharacterForm.JSON).readWithin(), least, most, bounds.place());
            } catch (ConstraintException refused) {
                throw new ConstraintException(
                        "the `pattern` at " + bounds.place() + " cannot be used: " + refused.getMessage());
            }
        }
        if (least > most) {
            throw new ConstraintException("`minLength` is above `maxLength` at " + bounds.place());
        }
        return forms.string(least, most);
    }

    private static Expression patterned(Expression plain, Expression written, int least, int most, String place) {
        Expression inside = written;
        if (!Lengths.of(plain).within(least, most)) {
            Expression fitted = repeatedCharacter(written, least, most);
            if (fitted == null) {
                throw new ConstraintException("`minLength` and `maxLength` beside a pattern or format that does not keep to them"
                        + " itself are not supported; put the limits into the pattern (at " + place + ")");
            }
            inside = fitted;
        }
        return Expression.sequence(Expression.text("\""), inside, Expression.text("\""));
    }

    /** A pattern that is nothing but a repeated character takes over the limits. */
    private static @Nullable Expression repeatedCharacter(Expression pattern, int least, int most) {
        return switch (pattern) {
            case Expression.Either(List<Expression> options) when options.size() == 1 ->
                repeatedCharacter(options.getFirst(), least, most);
            case Expression.Sequence(List<Expression> parts) -> {
                List<Expression> some = parts.stream().filter(part -> !isEmpty(part)).toList();
                yield some.size() == 1 ? repeatedCharacter(some.getFirst(), least, most) : null;
            }
            case Expression.Repeat(Expression part, int fewest, int highest) when isCharacter(part)
                    && Math.max(least, fewest) <= Math.min(most, highest) ->
                new Expression.Repeat(part, Math.max(least, fewest), Math.min(most, highest));
            default -> null;
        };
    }

    private static boolean isEmpty(Expression part) {
        return part.equals(Expression.EMPTY);
    }

    /** A character, or the choice between one that is written as it is and escapes. */
    private static boolean isCharacter(Expression part) {
        return part instanceof Expression.OneOf
                || part instanceof Expression.Either(List<Expression> options) && options.size() == 2
                        && options.getFirst() instanceof Expression.OneOf && options.getLast() instanceof Expression.Words;
    }
}
