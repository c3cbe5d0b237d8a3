package org.maniple.kernel.structured;

import java.math.BigDecimal;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Makes one schema of two that must both hold. Schemas of parts are put together when they are read, by {@code allOf}. */
final class SchemaMerge {

    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private SchemaMerge() {}

    /** A schema without one of its keywords. */
    static ObjectNode without(JsonNode schema, String keyword) {
        ObjectNode copy = NODES.objectNode();
        for (Map.Entry<String, JsonNode> entry : schema.properties()) {
            if (!entry.getKey().equals(keyword)) {
                copy.set(entry.getKey(), entry.getValue());
            }
        }
        return copy;
    }

    static JsonNode both(JsonNode one, JsonNode other) {
        if (one.isBoolean()) {
            return one.booleanValue() ? other : one;
        }
        if (other.isBoolean()) {
            return other.booleanValue() ? one : other;
        }
        ObjectNode merged = NODES.objectNode();
        for (Map.Entry<String, JsonNode> entry : one.properties()) {
            merged.set(entry.getKey(), entry.getValue());
        }
        for (Map.Entry<String, JsonNode> entry : other.properties()) {
            String keyword = entry.getKey();
            JsonNode here = one.path(keyword);
            merged.set(keyword, here.isMissingNode() || here.equals(entry.getValue())
                    ? entry.getValue()
                    : combined(keyword, here, entry.getValue()));
        }
        if (one.has("properties") || other.has("properties")) {
            merged.set("properties", properties(one, other));
        }
        return merged;
    }

    private static JsonNode combined(String keyword, JsonNode one, JsonNode other) {
        if (SchemaKeywords.isAnnotation(keyword)) {
            return other;
        }
        return switch (keyword) {
            case "properties" -> other; // made of both afterwards
            case "type" -> types(one, other);
            case "required" -> union(one, other);
            case "enum" -> intersection(one, other);
            case "minimum", "exclusiveMinimum", "minLength", "minItems" -> extreme(keyword, one, other, 1);
            case "maximum", "exclusiveMaximum", "maxLength", "maxItems" -> extreme(keyword, one, other, -1);
            case "items", "additionalProperties", "unevaluatedProperties" -> allOf(one, other);
            case "nullable" -> NODES.booleanNode(one.asBoolean(false) && other.asBoolean(false));
            default -> throw new ConstraintException(
                    "two schemas that must both hold (`allOf`, or beside `$ref`, `anyOf`, `oneOf`) have different `" + keyword
                            + "`, which is not supported");
        };
    }

    private static JsonNode allOf(JsonNode one, JsonNode other) {
        return NODES.objectNode().set("allOf", NODES.arrayNode().add(one).add(other));
    }

    /** A property that only one of them names is for the other one an additional one. */
    private static JsonNode properties(JsonNode one, JsonNode other) {
        ObjectNode merged = NODES.objectNode();
        for (Map.Entry<String, JsonNode> entry : one.path("properties").properties()) {
            merged.set(entry.getKey(), restricted(entry.getKey(), entry.getValue(), other));
        }
        for (Map.Entry<String, JsonNode> entry : other.path("properties").properties()) {
            if (!merged.has(entry.getKey())) {
                merged.set(entry.getKey(), restricted(entry.getKey(), entry.getValue(), one));
            }
        }
        return merged;
    }

    private static JsonNode restricted(String name, JsonNode schema, JsonNode by) {
        JsonNode named = by.path("properties").path(name);
        JsonNode restriction = named.isMissingNode() ? by.path("additionalProperties") : named;
        return restriction.isMissingNode() || restriction.equals(schema) ? schema : allOf(schema, restriction);
    }

    private static JsonNode types(JsonNode one, JsonNode other) {
        Set<String> first = names(one);
        Set<String> second = names(other);
        ArrayNode common = NODES.arrayNode();
        for (String type : first) {
            if (second.contains(type) || type.equals("integer") && second.contains("number")) {
                common.add(type);
            }
        }
        if (first.contains("number") && !first.contains("integer") && second.contains("integer") && !second.contains("number")) {
            common.add("integer");
        }
        return common;
    }

    private static Set<String> names(JsonNode list) {
        Set<String> names = new LinkedHashSet<>();
        if (list.isArray()) {
            list.values().forEach(name -> names.add(name.asString("")));
        } else {
            names.add(list.asString(""));
        }
        return names;
    }

    private static JsonNode union(JsonNode one, JsonNode other) {
        Set<JsonNode> all = new LinkedHashSet<>(one.values());
        all.addAll(other.values());
        return NODES.arrayNode().addAll(all);
    }

    private static JsonNode intersection(JsonNode one, JsonNode other) {
        ArrayNode common = NODES.arrayNode();
        Set<JsonNode> second = Set.copyOf(other.values());
        one.values().stream().filter(second::contains).forEach(common::add);
        return common;
    }

    private static JsonNode extreme(String keyword, JsonNode one, JsonNode other, int sign) {
        if (!one.isNumber() || !other.isNumber()) {
            throw new ConstraintException("two schemas that must both hold have different `" + keyword
                    + "` that are not both numbers, which is not supported");
        }
        BigDecimal first = one.decimalValue();
        return first.compareTo(other.decimalValue()) * sign >= 0 ? one : other;
    }
}
