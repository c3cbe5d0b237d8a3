package org.maniple.kernel.structured;

import java.util.Set;
import java.util.TreeSet;
import tools.jackson.databind.JsonNode;

/** Which keywords of JSON Schema mean what to the front end. */
final class SchemaKeywords {

    /** They say nothing about what is valid. */
    private static final Set<String> ANNOTATIONS = Set.of("title", "description", "default", "example", "examples", "deprecated",
            "readOnly", "writeOnly", "$comment", "$schema", "$id", "id", "$defs", "definitions", "discriminator", "contentEncoding",
            "contentMediaType", "externalDocs", "xml", "strict");

    private static final Set<String> OBJECT = Set.of("properties", "required", "additionalProperties", "unevaluatedProperties");
    private static final Set<String> ARRAY = Set.of("items", "prefixItems", "additionalItems", "minItems", "maxItems", "uniqueItems");
    private static final Set<String> STRING = Set.of("minLength", "maxLength", "pattern", "format");
    private static final Set<String> NUMBER = Set.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf");
    private static final Set<String> GENERAL = Set.of("type", "nullable", "enum", "const", "anyOf", "oneOf", "allOf", "$ref");

    private SchemaKeywords() {}

    static boolean isAnnotation(String keyword) {
        return ANNOTATIONS.contains(keyword) || keyword.startsWith("x-");
    }

    /**
     * Refuses a schema that uses something unsupported.
     *
     * @param place where the schema is, as a JSON pointer
     */
    static void check(JsonNode schema, String place) {
        for (String keyword : schema.propertyNames()) {
            boolean known = isAnnotation(keyword) || GENERAL.contains(keyword) || OBJECT.contains(keyword)
                    || ARRAY.contains(keyword) || STRING.contains(keyword) || NUMBER.contains(keyword);
            if (!known) {
                throw new ConstraintException("the keyword `" + keyword + "` at " + place + " is not supported");
            }
        }
    }

    /** The types that a schema without {@code type} speaks of, by its keywords; none if it speaks of all. */
    static Set<String> impliedTypes(JsonNode schema) {
        Set<String> types = new TreeSet<>();
        for (String keyword : schema.propertyNames()) {
            if (OBJECT.contains(keyword)) {
                types.add("object");
            } else if (ARRAY.contains(keyword)) {
                types.add("array");
            } else if (STRING.contains(keyword)) {
                types.add("string");
            } else if (NUMBER.contains(keyword)) {
                types.add("number");
            }
        }
        return types;
    }
}
