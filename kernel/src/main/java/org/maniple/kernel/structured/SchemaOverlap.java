package org.maniple.kernel.structured;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/**
 * Whether a value may satisfy two schemas. Exactly one alternative of {@code oneOf} may hold; so long as no value satisfies two of them it
 * means the same as {@code anyOf}, and nothing else is supported.
 */
final class SchemaOverlap {

    private static final int MAX_DEPTH = 4;

    private final SchemaReader schemas;

    SchemaOverlap(SchemaReader schemas) {
        this.schemas = schemas;
    }

    void refuse(List<JsonNode> branches, String place) {
        for (int i = 0; i < branches.size(); i++) {
            for (int j = 0; j < i; j++) {
                if (mayOverlap(branches.get(j), branches.get(i), 0)) {
                    throw new ConstraintException("the alternatives " + j + " and " + i + " of `oneOf` at " + place
                            + " may both hold for one value; use `anyOf`, or tell them apart by `type` or by a required property"
                            + " with different `const`");
                }
            }
        }
    }

    private boolean mayOverlap(JsonNode first, JsonNode second, int depth) {
        JsonNode one = schemas.resolved(first);
        JsonNode other = schemas.resolved(second);
        if (depth == MAX_DEPTH || !one.isObject() || !other.isObject()) {
            return !isFalse(one) && !isFalse(other);
        }
        if (hasValues(one) && hasValues(other)) {
            Set<JsonNode> common = new HashSet<>(SchemaReader.values(one, "oneOf"));
            common.retainAll(new HashSet<>(SchemaReader.values(other, "oneOf")));
            return !common.isEmpty();
        }
        Set<String> types = commonTypes(one, other);
        return types.stream().anyMatch(type -> !type.equals("object") || objectsMayOverlap(one, other, depth));
    }

    private static boolean isFalse(JsonNode schema) {
        return schema.isBoolean() && !schema.booleanValue();
    }

    private static boolean hasValues(JsonNode schema) {
        return schema.has("enum") || schema.has("const");
    }

    private static Set<String> commonTypes(JsonNode one, JsonNode other) {
        Set<String> common = allowedTypes(one);
        common.retainAll(allowedTypes(other));
        return common;
    }

    /** Unlike for writing, a schema without {@code type} allows values of every type. */
    private static Set<String> allowedTypes(JsonNode schema) {
        Set<String> types = new HashSet<>();
        if (hasValues(schema)) {
            for (JsonNode value : SchemaReader.values(schema, "oneOf")) {
                List.of("object", "array", "string", "number", "boolean", "null").stream()
                        .filter(type -> JsonValues.isOfType(value, type)).forEach(types::add);
            }
        } else if (schema.has("type")) {
            types.addAll(SchemaReader.types(schema, "oneOf"));
            if (types.remove("integer")) {
                types.add("number");
            }
        } else {
            types.addAll(List.of("object", "array", "string", "number", "boolean", "null"));
        }
        return types;
    }

    /** Objects cannot satisfy both if one schema needs a property that the other does not allow, or only with other values. */
    private boolean objectsMayOverlap(JsonNode one, JsonNode other, int depth) {
        return !excludes(one, other, depth) && !excludes(other, one, depth);
    }

    private boolean excludes(JsonNode needing, JsonNode other, int depth) {
        for (String name : ObjectSchema.required(needing, "oneOf")) {
            JsonNode there = other.path("properties").path(name);
            if (there.isMissingNode() ? isFalse(other.path("additionalProperties"))
                    : needing.path("properties").has(name)
                            && !mayOverlap(needing.path("properties").path(name), there, depth + 1)) {
                return true;
            }
        }
        return false;
    }
}
