package org.maniple.tokenizer.hf;

import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.exc.StreamReadException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/** Makes trees of JSON. An {@code ObjectMapper} would make the same, and take a tenth of a second of a start to be made itself. */
final class JsonTree {

    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private JsonTree() {}

    /** The value that the parser stands on; it stands on the value's end afterwards. The parser bounds the depth. */
    static JsonNode read(JsonParser json) {
        return switch (json.currentToken()) {
            case START_OBJECT -> {
                var object = NODES.objectNode();
                while (json.nextToken() == JsonToken.PROPERTY_NAME) {
                    String name = json.currentName();
                    json.nextToken();
                    object.set(name, read(json));
                }
                yield object;
            }
            case START_ARRAY -> {
                var array = NODES.arrayNode();
                while (json.nextToken() != JsonToken.END_ARRAY) {
                    array.add(read(json));
                }
                yield array;
            }
            case VALUE_STRING -> NODES.stringNode(json.getString());
            case VALUE_NUMBER_INT -> switch (json.getNumberType()) {
                case INT -> NODES.numberNode(json.getIntValue());
                case LONG -> NODES.numberNode(json.getLongValue());
                default -> NODES.numberNode(json.getBigIntegerValue());
            };
            case VALUE_NUMBER_FLOAT -> NODES.numberNode(json.getDoubleValue());
            case VALUE_TRUE -> NODES.booleanNode(true);
            case VALUE_FALSE -> NODES.booleanNode(false);
            case VALUE_NULL -> NODES.nullNode();
            case null, default -> throw new StreamReadException(json, "expected a value");
        };
    }
}
