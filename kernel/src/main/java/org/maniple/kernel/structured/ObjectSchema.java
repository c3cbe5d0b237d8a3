package org.maniple.kernel.structured;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Objects: the properties that the schema names in its order, then additional ones if it allows them. */
final class ObjectSchema {

    private static final CodePoints PLAIN = CharacterForm.ESCAPED.not();

    private final Grammar grammar;
    private final JsonForms forms;
    private final SchemaReader schemas;

    ObjectSchema(Grammar grammar, JsonForms forms, SchemaReader schemas) {
        this.grammar = grammar;
        this.forms = forms;
        this.schemas = schemas;
    }

    Expression read(JsonNode schema, String place) {
        Map<String, JsonNode> properties = properties(schema, place);
        Set<String> required = required(schema, place);
        JsonNode additional = additional(schema, place);
        for (String name : required) {
            properties.putIfAbsent(name, schema.has("additionalProperties") ? additional : JsonValues.TRUE);
        }
        boolean closed = additional.isBoolean() && !additional.booleanValue();
        Expression more = closed
                ? null
                : forms.member(otherNames(properties.keySet()), schemas.read(additional, place + "/additionalProperties"));
        return forms.braces('{', members(properties, required, more, place), '}');
    }

    private static Map<String, JsonNode> properties(JsonNode schema, String place) {
        JsonNode given = schema.path("properties");
        if (!given.isMissingNode() && !given.isObject()) {
            throw new SchemaBounds(place).wrong("properties", "an object");
        }
        Map<String, JsonNode> properties = new LinkedHashMap<>();
        given.properties().forEach(entry -> properties.put(entry.getKey(), entry.getValue()));
        return properties;
    }

    static Set<String> required(JsonNode schema, String place) {
        JsonNode given = schema.path("required");
        Set<String> names = new LinkedHashSet<>();
        for (JsonNode name : given.values()) {
            if (!name.isString()) {
                throw new SchemaBounds(place).wrong("required", "a list of strings");
            }
            names.add(name.stringValue());
        }
        if (!given.isMissingNode() && !given.isArray()) {
            throw new SchemaBounds(place).wrong("required", "a list of strings");
        }
        return names;
    }

    private static JsonNode additional(JsonNode schema, String place) {
        JsonNode given = schema.path("additionalProperties");
        JsonNode unevaluated = schema.path("unevaluatedProperties");
        if (!unevaluated.isMissingNode()) {
            if (!unevaluated.isBoolean() || !given.isMissingNode()) {
                throw new ConstraintException("`unevaluatedProperties` at " + place
                        + " is supported as true or false, without `additionalProperties`");
            }
            given = unevaluated;
        }
        if (!given.isMissingNode()) {
            return given;
        }
        return schema.has("properties") ? JsonValues.FALSE : JsonValues.TRUE;
    }

    private Expression members(Map<String, JsonNode> properties, Set<String> required, @Nullable Expression more, String place) {
        List<String> names = List.copyOf(properties.keySet());
        List<Expression> members = new ArrayList<>();
        for (String name : names) {
            members.add(grammar.rule(name, forms.member(Expression.text(CharacterForm.quoted(name)),
                    schemas.read(properties.getOrDefault(name, JsonValues.TRUE), place + "/properties/" + name))));
        }
        // From the last one to the first: what may come if something has been written before, and if nothing has.
        Expression later = more == null
                ? Expression.EMPTY
                : new Expression.Repeat(Expression.sequence(forms.comma(), more), 0, Expression.UNBOUNDED);
        Expression first = more == null ? Expression.EMPTY : forms.list(more, 0, Expression.UNBOUNDED);
        for (int i = names.size() - 1; i >= 0; i--) {
            Expression member = members.get(i);
            Expression rest = grammar.rule("after " + names.get(i), later);
            boolean needed = required.contains(names.get(i));
            Expression following = Expression.sequence(forms.comma(), member);
            later = Expression.sequence(needed ? following : Expression.optional(following), rest);
            Expression leading = Expression.sequence(member, rest);
            first = needed ? leading : grammar.rule("from " + names.get(i), Expression.either(leading, first));
        }
        return first;
    }

    /** Names that are none of those given. They are written without escapes, so that no given one can be written in disguise. */
    private Expression otherNames(Set<String> given) {
        if (given.isEmpty()) {
            return forms.string(0, Expression.UNBOUNDED);
        }
        var tree = new Node();
        for (String name : given) {
            if (name.codePoints().allMatch(PLAIN::contains)) {
                tree.add(name);
            }
        }
        Expression anything = grammar.rule("rest of a name",
                new Expression.Repeat(new Expression.OneOf(PLAIN), 0, Expression.UNBOUNDED));
        return Expression.sequence(Expression.text("\""), other(tree, anything), Expression.text("\""));
    }

    private Expression other(Node node, Expression anything) {
        List<Expression> options = new ArrayList<>();
        CodePoints free = PLAIN;
        for (Map.Entry<Integer, Node> child : node.children.entrySet()) {
            CodePoints character = CodePoints.of(child.getKey());
            free = free.minus(character);
            options.add(Expression.sequence(new Expression.OneOf(character), other(child.getValue(), anything)));
        }
        options.add(Expression.sequence(new Expression.OneOf(free), anything));
        if (!node.name) {
            options.add(Expression.EMPTY);
        }
        return grammar.rule("other names", new Expression.Either(options));
    }

    /** The beginning of names. */
    private static final class Node {

        final Map<Integer, Node> children = new TreeMap<>();
        boolean name;

        void add(String text) {
            Node at = this;
            for (int c : text.codePoints().toArray()) {
                at = at.children.computeIfAbsent(c, _ -> new Node());
            }
            at.name = true;
        }
    }
}
