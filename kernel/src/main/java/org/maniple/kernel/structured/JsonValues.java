package org.maniple.kernel.structured;

import java.math.BigDecimal;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/** JSON values as they are written out. */
final class JsonValues {

    static final JsonNode TRUE = JsonNodeFactory.instance.booleanNode(true);
    static final JsonNode FALSE = JsonNodeFactory.instance.booleanNode(false);

    private JsonValues() {}

    /** The text of a value, without white space. */
    static String text(JsonNode value) {
        var out = new StringBuilder();
        write(value, out);
        return out.toString();
    }

    private static void write(JsonNode value, StringBuilder out) {
        if (value.isString()) {
            out.append(CharacterForm.quoted(value.stringValue()));
        } else if (value.isArray()) {
            out.append('[');
            String separator = "";
            for (JsonNode element : value.values()) {
                out.append(separator);
                write(element, out);
                separator = ",";
            }
            out.append(']');
        } else if (value.isObject()) {
            out.append('{');
            String separator = "";
            for (Map.Entry<String, JsonNode> entry : value.properties()) {
                out.append(separator).append(CharacterForm.quoted(entry.getKey())).append(':');
                write(entry.getValue(), out);
                separator = ",";
            }
            out.append('}');
        } else {
            out.append(value);
        }
    }

    static boolean isOfType(JsonNode value, String type) {
        return switch (type) {
            case "object" -> value.isObject();
            case "array" -> value.isArray();
            case "string" -> value.isString();
            case "number" -> value.isNumber();
            case "integer" -> value.isNumber() && isWhole(value.decimalValue());
            case "boolean" -> value.isBoolean();
            case "null" -> value.isNull();
            default -> false;
        };
    }

    private static boolean isWhole(BigDecimal number) {
        return number.signum() == 0 || number.scale() <= 0 || number.stripTrailingZeros().scale() <= 0;
    }
}
