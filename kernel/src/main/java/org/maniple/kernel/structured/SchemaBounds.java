package org.maniple.kernel.structured;

import java.util.Optional;
import org.maniple.kernel.structured.NumberRange.Bound;
import tools.jackson.databind.JsonNode;

/**
 * Reads values of keywords.
 *
 * @param place where the schema is, for messages
 */
record SchemaBounds(String place) {

    int count(JsonNode schema, String keyword, int fallback) {
        JsonNode value = schema.path(keyword);
        if (value.isMissingNode()) {
            return fallback;
        }
        if (!value.isNumber() || !value.canConvertToExactIntegral() || value.decimalValue().signum() < 0) {
            throw wrong(keyword, "a whole number that is not negative");
        }
        return value.canConvertToInt() ? value.intValue() : Expression.UNBOUNDED;
    }

    Optional<String> text(JsonNode schema, String keyword) {
        JsonNode value = schema.path(keyword);
        if (value.isMissingNode()) {
            return Optional.empty();
        }
        if (!value.isString()) {
            throw wrong(keyword, "a string");
        }
        return Optional.of(value.stringValue());
    }

    Optional<Bound> minimum(JsonNode schema) {
        return stricter(bound(schema, "minimum", "exclusiveMinimum"), 1);
    }

    Optional<Bound> maximum(JsonNode schema) {
        return stricter(bound(schema, "maximum", "exclusiveMaximum"), -1);
    }

    /** An inclusive bound and an exclusive one; either may be missing. An old exclusive one only says how to take the other. */
    private Bound[] bound(JsonNode schema, String inclusive, String exclusive) {
        JsonNode one = schema.path(inclusive);
        JsonNode other = schema.path(exclusive);
        boolean old = other.isBoolean();
        var bounds = new java.util.ArrayList<Bound>();
        if (!one.isMissingNode()) {
            bounds.add(new Bound(number(one, inclusive), old && other.booleanValue()));
        }
        if (!other.isMissingNode() && !old) {
            bounds.add(new Bound(number(other, exclusive), true));
        }
        return bounds.toArray(Bound[]::new);
    }

    private java.math.BigDecimal number(JsonNode value, String keyword) {
        if (!value.isNumber()) {
            throw wrong(keyword, "a number");
        }
        return value.decimalValue();
    }

    private static Optional<Bound> stricter(Bound[] bounds, int sign) {
        if (bounds.length < 2) {
            return bounds.length == 0 ? Optional.empty() : Optional.of(bounds[0]);
        }
        return Optional.of(bounds[0].value().compareTo(bounds[1].value()) * sign > 0 ? bounds[0] : bounds[1]);
    }

    ConstraintException wrong(String keyword, String expected) {
        return new ConstraintException("`" + keyword + "` must be " + expected + " at " + place);
    }
}
