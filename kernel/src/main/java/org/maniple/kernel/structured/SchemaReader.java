package org.maniple.kernel.structured;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Turns a JSON schema into an expression of the JSON texts that it allows. Where a schema leaves open what else may come, nothing else
 * comes: properties and elements that it does not speak of are not written, unless it allows them expressly or speaks of none. Properties
 * come in the order in which the schema names them.
 */
final class SchemaReader {

    private static final int MAX_DEPTH = 64;
    private static final int MAX_PARTS = 20_000;
    private static final int MAX_VALUES = 10_000;

    private final Grammar grammar;
    private final JsonForms forms;
    private final Map<String, Integer> rules = new HashMap<>();
    private final ArrayDeque<String> undefined = new ArrayDeque<>();
    private final ObjectSchema objects;
    private final ArraySchema arrays;
    private final StringSchema strings;
    private @Nullable SchemaDocument document;
    private int depth;
    private int parts;

    SchemaReader(Grammar grammar, JsonForms forms) {
        this.grammar = grammar;
        this.forms = forms;
        objects = new ObjectSchema(grammar, forms, this);
        arrays = new ArraySchema(forms, this);
        strings = new StringSchema(forms);
    }

    /**
     * Reads a schema; once.
     *
     * @param text the schema as JSON
     * @throws ConstraintException if it is malformed, too large, or uses something unsupported
     */
    Expression read(String text) {
        var whole = new SchemaDocument(text);
        document = whole;
        Expression root = read(whole.root(), "#");
        while (!undefined.isEmpty()) {
            String reference = undefined.pop();
            grammar.define(rules.getOrDefault(reference, 0), read(whole.resolve(reference), reference));
        }
        return root;
    }

    /** Reads a part of the schema, the place of which is named in messages. */
    Expression read(JsonNode schema, String place) {
        if (++depth > MAX_DEPTH) {
            throw new ConstraintException("schemas are nested more than " + MAX_DEPTH + " deep");
        }
        if (++parts > MAX_PARTS) {
            throw new ConstraintException("it has, with its combinations, more than " + MAX_PARTS + " parts");
        }
        Expression expression = switch (schema) {
            case JsonNode flag when flag.isBoolean() -> flag.booleanValue() ? forms.anyValue() : Expression.NOTHING;
            case JsonNode object when object.isObject() -> {
                SchemaKeywords.check(object, place);
                yield readObject(object, place);
            }
            default -> throw new ConstraintException("a schema must be an object, true or false at " + place);
        };
        depth--;
        return expression;
    }

    private Expression readObject(JsonNode schema, String place) {
        if (schema.has("$ref")) {
            JsonNode rest = SchemaMerge.without(schema, "$ref");
            String reference = new SchemaBounds(place).text(schema, "$ref").orElse("");
            return saysNothing(rest)
                    ? reference(reference)
                    : read(SchemaMerge.both(resolve(reference), rest), place);
        }
        if (schema.has("allOf")) {
            JsonNode merged = SchemaMerge.without(schema, "allOf");
            for (JsonNode part : branches(schema, "allOf", place)) {
                merged = SchemaMerge.both(merged, resolved(part));
            }
            return read(merged, place);
        }
        for (String keyword : List.of("anyOf", "oneOf")) {
            if (schema.has(keyword)) {
                return readBranches(schema, keyword, place);
            }
        }
        if (schema.has("const") || schema.has("enum")) {
            return readValues(schema, place);
        }
        return readTypes(schema, place);
    }

    private static boolean saysNothing(JsonNode schema) {
        return schema.propertyNames().stream().allMatch(SchemaKeywords::isAnnotation);
    }

    private Expression reference(String reference) {
        Integer rule = rules.get(reference);
        if (rule == null) {
            resolve(reference);
            rule = grammar.declare(reference);
            rules.put(reference, rule);
            undefined.push(reference);
        }
        return new Expression.Call(rule);
    }

    private JsonNode resolve(String reference) {
        SchemaDocument whole = document;
        if (whole == null) {
            throw new IllegalStateException("there is no document");
        }
        return whole.resolve(reference);
    }

    /** A schema, or what it refers to if it does nothing else. */
    JsonNode resolved(JsonNode schema) {
        return schema.path("$ref").isString() && saysNothing(SchemaMerge.without(schema, "$ref"))
                ? resolve(schema.path("$ref").stringValue())
                : schema;
    }

    private static List<JsonNode> branches(JsonNode schema, String keyword, String place) {
        JsonNode list = schema.path(keyword);
        if (!list.isArray() || list.isEmpty()) {
            throw new SchemaBounds(place).wrong(keyword, "a list of schemas that is not empty");
        }
        for (JsonNode branch : list.values()) {
            if (!branch.isObject() && !branch.isBoolean()) {
                throw new SchemaBounds(place).wrong(keyword, "a list of schemas");
            }
        }
        return List.copyOf(list.values());
    }

    private Expression readBranches(JsonNode schema, String keyword, String place) {
        JsonNode rest = SchemaMerge.without(schema, keyword);
        List<JsonNode> branches = new ArrayList<>();
        for (JsonNode branch : branches(schema, keyword, place)) {
            branches.add(saysNothing(rest) ? branch : SchemaMerge.both(rest, resolved(branch)));
        }
        if (keyword.equals("oneOf")) {
            new SchemaOverlap(this).refuse(branches, place);
        }
        List<Expression> options = new ArrayList<>();
        for (JsonNode branch : branches) {
            options.add(read(branch, place + "/" + keyword + "/" + options.size()));
        }
        return new Expression.Either(options);
    }

    private Expression readValues(JsonNode schema, String place) {
        for (String keyword : schema.propertyNames()) {
            if (!SchemaKeywords.isAnnotation(keyword) && !Set.of("enum", "const", "type", "nullable").contains(keyword)) {
                throw new ConstraintException("`" + keyword + "` beside `enum` or `const` is not supported at " + place);
            }
        }
        Set<String> types = schema.has("type") ? types(schema, place) : Set.of();
        List<String> words = new ArrayList<>();
        for (JsonNode value : values(schema, place)) {
            if (types.isEmpty() || types.stream().anyMatch(type -> JsonValues.isOfType(value, type))) {
                words.add(JsonValues.text(value));
            }
        }
        return new Expression.Words(words);
    }

    /** The values that a schema lists, or those of them that its {@code const} is. */
    static List<JsonNode> values(JsonNode schema, String place) {
        JsonNode list = schema.path("enum");
        if (!schema.has("enum")) {
            return List.of(schema.path("const"));
        }
        if (!list.isArray() || list.size() > MAX_VALUES) {
            throw new SchemaBounds(place).wrong("enum", "a list of at most " + MAX_VALUES + " values");
        }
        return list.values().stream().filter(value -> !schema.has("const") || value.equals(schema.path("const"))).toList();
    }

    /** The types that a schema allows; of a schema that does not say, those that its keywords are about. */
    static Set<String> types(JsonNode schema, String place) {
        JsonNode given = schema.path("type");
        Set<String> types = new LinkedHashSet<>();
        if (given.isArray()) {
            for (JsonNode each : given.values()) {
                types.add(each.asString(""));
            }
        } else if (given.isString()) {
            types.add(given.stringValue());
        } else if (!given.isMissingNode()) {
            throw new SchemaBounds(place).wrong("type", "a string or a list of strings");
        } else {
            types.addAll(SchemaKeywords.impliedTypes(schema));
        }
        if (schema.path("nullable").asBoolean(false)) {
            types.add("null");
        }
        return types;
    }

    private Expression readTypes(JsonNode schema, String place) {
        Set<String> types = types(schema, place);
        if (types.isEmpty()) {
            return schema.has("type") ? Expression.NOTHING : forms.anyValue();
        }
        List<Expression> options = new ArrayList<>();
        for (String type : types) {
            if (!type.equals("integer") || !types.contains("number")) {
                options.add(readType(type, schema, place));
            }
        }
        return options.size() == 1 ? options.getFirst() : new Expression.Either(options);
    }

    private Expression readType(String type, JsonNode schema, String place) {
        return switch (type) {
            case "object" -> objects.read(schema, place);
            case "array" -> arrays.read(schema, place);
            case "string" -> strings.read(schema, new SchemaBounds(place));
            case "number" -> number(schema, false, new SchemaBounds(place));
            case "integer" -> number(schema, true, new SchemaBounds(place));
            case "boolean" -> Expression.either(Expression.text("true"), Expression.text("false"));
            case "null" -> Expression.text("null");
            default -> throw new ConstraintException("the `type` [" + type + "] at " + place + " is none of JSON Schema");
        };
    }

    private Expression number(JsonNode schema, boolean integer, SchemaBounds bounds) {
        JsonNode step = schema.path("multipleOf");
        boolean one = integer && step.isNumber() && step.decimalValue().compareTo(java.math.BigDecimal.ONE) == 0;
        if (!step.isMissingNode() && !one) {
            throw new ConstraintException("the keyword `multipleOf` at " + bounds.place() + " is not supported");
        }
        bounds.text(schema, "format").ifPresent(StringFormats::check);
        var minimum = bounds.minimum(schema);
        var maximum = bounds.maximum(schema);
        if (minimum.isEmpty() && maximum.isEmpty()) {
            return integer ? forms.integer() : forms.number();
        }
        return NumberRange.between(minimum, maximum, integer);
    }
}
