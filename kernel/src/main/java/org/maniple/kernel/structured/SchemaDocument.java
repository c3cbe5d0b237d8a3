package org.maniple.kernel.structured;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A schema as it was given, in which references point. */
final class SchemaDocument {

    private static final int MAX_DEPTH = 128;
    private static final int MAX_STEPS = 32;

    private final JsonNode root;

    /**
     * Reads a schema.
     *
     * @throws ConstraintException if it is not JSON, or nested too deep
     */
    SchemaDocument(String text) {
        var factory = JsonFactory.builder()
                .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(MAX_DEPTH).maxNumberLength(100).build())
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .build();
        var mapper = JsonMapper.builder(factory)
                .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .build();
        try {
            root = mapper.readTree(text);
        } catch (JacksonException e) {
            throw new ConstraintException("it is not valid JSON: " + e.getOriginalMessage());
        }
    }

    JsonNode root() {
        return root;
    }

    /**
     * What a reference points to, through further references.
     *
     * @throws ConstraintException if it points outside of the document, to nothing, or to itself
     */
    JsonNode resolve(String reference) {
        JsonNode node = target(reference);
        for (int step = 0; node.path("$ref").isString() && node.size() == 1; step++) {
            if (step == MAX_STEPS) {
                throw new ConstraintException("the reference [" + reference + "] leads to more than " + MAX_STEPS + " others");
            }
            node = target(node.path("$ref").stringValue());
        }
        return node;
    }

    private JsonNode target(String reference) {
        if (!reference.equals("#") && !reference.startsWith("#/")) {
            throw new ConstraintException("`$ref` [" + reference + "] is not supported; it must point into the schema itself, like"
                    + " #/$defs/name");
        }
        JsonNode node = root;
        String[] steps = reference.split("/", -1);
        for (int i = 1; i < steps.length; i++) {
            String name = decoded(steps[i]);
            node = node.isArray() && name.matches("[0-9]{1,6}") ? node.path(Integer.parseInt(name)) : node.path(name);
        }
        if (node.isMissingNode()) {
            throw new ConstraintException("`$ref` [" + reference + "] points to nothing in the schema");
        }
        return node;
    }

    private static String decoded(String step) {
        try {
            String plain = step.contains("%") ? URLDecoder.decode(step.replace("+", "%2B"), StandardCharsets.UTF_8) : step;
            return plain.replace("~1", "/").replace("~0", "~");
        } catch (IllegalArgumentException e) {
            throw new ConstraintException("a part of a `$ref` [" + step + "] has a damaged percent escape");
        }
    }
}
