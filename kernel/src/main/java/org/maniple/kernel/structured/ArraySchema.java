package org.maniple.kernel.structured;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Arrays: the elements that the schema lists, then any number of the others that it allows. */
final class ArraySchema {

    private static final int MAX_LISTED = 200;

    private final JsonForms forms;
    private final SchemaReader schemas;

    ArraySchema(JsonForms forms, SchemaReader schemas) {
        this.forms = forms;
        this.schemas = schemas;
    }

    Expression read(JsonNode schema, String place) {
        if (schema.path("uniqueItems").asBoolean(false)) {
            throw new ConstraintException("the keyword `uniqueItems` at " + place + " is not supported");
        }
        var bounds = new SchemaBounds(place);
        int least = bounds.count(schema, "minItems", 0);
        int most = bounds.count(schema, "maxItems", Expression.UNBOUNDED);
        // An old form lists elements by `items`, and names the schema of the others `additionalItems`.
        boolean old = schema.path("items").isArray();
        JsonNode listed = schema.path(old ? "items" : "prefixItems");
        JsonNode others = schema.path(old ? "additionalItems" : "items");
        if (!listed.isMissingNode() && (!listed.isArray() || listed.size() > MAX_LISTED)) {
            throw bounds.wrong("prefixItems", "a list of at most " + MAX_LISTED + " schemas");
        }
        List<Expression> elements = new ArrayList<>();
        for (JsonNode element : listed.values()) {
            if (elements.size() < most) {
                elements.add(schemas.read(element, place + "/prefixItems/" + elements.size()));
            }
        }
        if (others.isMissingNode()) {
            others = elements.isEmpty() || least > elements.size() ? JsonValues.TRUE : JsonValues.FALSE;
        }
        Expression other = others.isBoolean() && !others.booleanValue() ? null : schemas.read(others, place + "/items");
        return forms.braces('[', elements(elements, other, least, most), ']');
    }

    private Expression elements(List<Expression> listed, @Nullable Expression other, int least, int most) {
        if (least > most || other == null && least > listed.size()) {
            return Expression.NOTHING;
        }
        int left = most == Expression.UNBOUNDED ? most : most - listed.size();
        int needed = Math.max(0, least - listed.size());
        if (listed.isEmpty()) {
            return other == null ? Expression.EMPTY : forms.list(other, needed, left);
        }
        Expression rest = other == null
                ? Expression.EMPTY
                : new Expression.Repeat(Expression.sequence(forms.comma(), other), needed, left);
        for (int i = listed.size() - 1; i >= 0; i--) {
            Expression element = i == 0 ? listed.get(i) : Expression.sequence(forms.comma(), listed.get(i));
            Expression some = Expression.sequence(element, rest);
            rest = i < least ? some : Expression.optional(some);
        }
        return rest;
    }
}
