package org.maniple.serve.openai;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.maniple.api.engine.OutputConstraint;

/**
 * Reads what the output must be: OpenAI's {@code response_format}, vLLM's {@code structured_outputs} and their older names
 * {@code guided_…}, SGLang's {@code regex}, {@code ebnf} and {@code json_schema}. At most one of all may be asked for. Whether a schema,
 * expression or grammar makes sense is for the engine to say.
 */
final class StructuredFields {

    private static final int MAX_CHOICES = 10_000;
    private static final int MAX_CHOICE_BYTES = 65_536;

    private final Json json;

    StructuredFields(Json json) {
        this.json = json;
    }

    /** The constraint, with the name of the field that asked for it. */
    private record Asked(String field, OutputConstraint constraint) {}

    /**
     * Reads the constraint on the output.
     *
     * @throws ApiException 400 if there are several, or one is of the wrong type
     */
    Optional<OutputConstraint> read(Fields fields) {
        List<Asked> asked = new ArrayList<>();
        fields.object("response_format").ifPresent(format -> format(format, asked));
        fields.object("structured_outputs").ifPresent(given -> structured(given, asked));
        schema(fields, "guided_json", false, asked);
        regex(fields, "guided_regex", asked);
        choice(fields, "guided_choice", asked);
        grammar(fields, "guided_grammar", asked);
        schema(fields, "json_schema", false, asked);
        regex(fields, "regex", asked);
        grammar(fields, "ebnf", asked);
        if (asked.size() > 1) {
            throw several(asked.get(1).field().split("\\.", 2)[0], asked);
        }
        return asked.stream().findFirst().map(Asked::constraint);
    }

    private void format(Fields format, List<Asked> asked) {
        String type = format.text("type").orElse("");
        switch (type) {
            case "text" -> {
            }
            case "json_object" -> asked.add(new Asked("response_format", new OutputConstraint.AnyObject(false)));
            case "json_schema" -> {
                Fields named = format.object("json_schema")
                        .orElseThrow(() -> format.problem("json_schema", "must be an object with the fields name and schema"));
                named.text("name");
                named.text("description");
                named.flag("strict", false);
                // The field is called json_schema in vLLM's own classes.
                String field = named.has("schema") || !named.has("json_schema") ? "schema" : "json_schema";
                if (!named.has(field)) {
                    throw named.problem("schema", "must be a JSON schema");
                }
                asked.add(new Asked("response_format", new OutputConstraint.Schema(text(named, field), false)));
            }
            default -> throw format.problem("type", "can only be \"text\", \"json_object\" or \"json_schema\", got ["
                    + ApiException.shown(type) + "]");
        }
    }

    private void structured(Fields given, List<Asked> asked) {
        for (String unsupported : List.of("structural_tag", "whitespace_pattern", "disable_fallback",
                "disable_additional_properties")) {
            if (given.asks(unsupported)) {
                throw given.problem(unsupported, "is not supported by this server; leave it out");
            }
        }
        boolean compact = given.flag("disable_any_whitespace", false);
        int before = asked.size();
        schema(given, "json", compact, asked);
        regex(given, "regex", asked);
        choice(given, "choice", asked);
        grammar(given, "grammar", asked);
        if (given.flag("json_object", false)) {
            asked.add(new Asked("json_object", new OutputConstraint.AnyObject(compact)));
        }
        if (asked.size() == before) {
            throw ApiException.invalid("structured_outputs",
                    "You must use one kind of structured outputs constraint but none are specified: `structured_outputs` can have"
                            + " one of json, regex, choice, grammar and json_object.");
        }
        if (asked.size() > before + 1) {
            throw several("structured_outputs", asked.subList(before, asked.size()));
        }
        asked.set(before, new Asked("structured_outputs." + asked.get(before).field(), asked.get(before).constraint()));
    }

    /** In vLLM's words. */
    private static ApiException several(String field, List<Asked> asked) {
        return ApiException.invalid(field,
                "You can only use one kind of structured outputs constraint but multiple are specified: "
                        + String.join(", ", asked.stream().map(Asked::field).toList()));
    }

    private void schema(Fields fields, String name, boolean compact, List<Asked> asked) {
        if (fields.has(name) && !Boolean.FALSE.equals(fields.raw(name))) {
            asked.add(new Asked(name, new OutputConstraint.Schema(text(fields, name), compact)));
        }
    }

    private static void regex(Fields fields, String name, List<Asked> asked) {
        if (fields.asks(name)) {
            asked.add(new Asked(name, new OutputConstraint.Regex(fields.text(name).orElse(""))));
        }
    }

    private static void choice(Fields fields, String name, List<Asked> asked) {
        if (fields.has(name)) {
            List<String> choices = fields.texts(name, MAX_CHOICES, MAX_CHOICE_BYTES);
            if (choices.isEmpty()) {
                throw fields.problem(name, "must have at least one choice");
            }
            asked.add(new Asked(name, new OutputConstraint.Choice(choices)));
        }
    }

    private static void grammar(Fields fields, String name, List<Asked> asked) {
        if (fields.asks(name)) {
            asked.add(new Asked(name, new OutputConstraint.Grammar(fields.text(name).orElse(""))));
        }
    }

    /** A schema as JSON: it comes as JSON, or as a text that is JSON. */
    private String text(Fields fields, String name) {
        return switch (fields.raw(name)) {
            case String text -> text;
            case Map<?, ?> map -> written(map);
            case Boolean flag -> flag.toString();
            case null, default -> throw fields.wrong(name, "a JSON schema, or a string that is one", fields.raw(name));
        };
    }

    private String written(Map<?, ?> schema) {
        return new String(json.bytes(out -> JsonValue.write(out, schema)), StandardCharsets.UTF_8);
    }
}
