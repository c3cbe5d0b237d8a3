package org.maniple.tokenizer.hf;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/** A value inside a JSON file that knows where it stands, so that every complaint about it can say so. */
record JsonField(String file, String path, JsonNode node) {

    private static final int LARGEST_ID = 1 << 23;

    TokenizerFileException error(String problem) {
        return new TokenizerFileException(file, path, problem);
    }

    /** The member {@code name}, or empty where it is absent or null. */
    Optional<JsonField> optional(String name) {
        if (!node.isObject()) {
            throw error("expected an object, found " + describe());
        }
        var value = node.get(name);
        return value == null || value.isNull() ? Optional.empty() : Optional.of(new JsonField(file, child(name), value));
    }

    JsonField required(String name) {
        return optional(name).orElseThrow(() -> new TokenizerFileException(file, child(name), "is missing"));
    }

    String string() {
        if (!node.isString()) {
            throw error("expected a string, found " + describe());
        }
        return node.stringValue();
    }

    boolean bool() {
        if (!node.isBoolean()) {
            throw error("expected true or false, found " + describe());
        }
        return node.booleanValue();
    }

    boolean bool(String name, boolean otherwise) {
        return optional(name).map(JsonField::bool).orElse(otherwise);
    }

    String string(String name, String otherwise) {
        return optional(name).map(JsonField::string).orElse(otherwise);
    }

    int intBetween(int least, int most) {
        if (!node.isIntegralNumber() || !node.canConvertToInt() || node.intValue() < least || node.intValue() > most) {
            throw error("expected an integer from " + least + " to " + most + ", found " + describe());
        }
        return node.intValue();
    }

    int tokenId() {
        return intBetween(0, LARGEST_ID);
    }

    /** The largest token id accepted: tables are as long as the largest id, so a hostile file must not choose it. */
    static int largestId() {
        return LARGEST_ID;
    }

    List<JsonField> elements() {
        if (!node.isArray()) {
            throw error("expected an array, found " + describe());
        }
        var all = new ArrayList<JsonField>(node.size());
        for (int i = 0; i < node.size(); i++) {
            all.add(new JsonField(file, path + "[" + i + "]", node.get(i)));
        }
        return all;
    }

    boolean isObject() {
        return node.isObject();
    }

    boolean isString() {
        return node.isString();
    }

    boolean isArray() {
        return node.isArray();
    }

    private String child(String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    private String describe() {
        var text = node.toString();
        return text.length() <= 60 ? text : text.substring(0, 57) + "...";
    }
}
