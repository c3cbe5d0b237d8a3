package org.maniple.tokenizer.hf;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** JSON of the oracle as the plain values a template takes. */
final class JsonValues {
    private JsonValues() {}

    static @Nullable Object of(JsonNode node) {
        return switch (node.getNodeType()) {
            case OBJECT -> map(node);
            case ARRAY -> list(node);
            case STRING -> node.stringValue();
            case BOOLEAN -> node.booleanValue();
            case NUMBER -> node.isIntegralNumber() ? (Object) node.longValue() : (Object) node.doubleValue();
            default -> null;
        };
    }

    static List<@Nullable Object> list(JsonNode array) {
        var list = new ArrayList<@Nullable Object>();
        array.forEach(element -> list.add(of(element)));
        return list;
    }

    static Map<String, @Nullable Object> map(JsonNode object) {
        var map = new LinkedHashMap<String, @Nullable Object>();
        object.properties().forEach(entry -> map.put(entry.getKey(), of(entry.getValue())));
        return map;
    }

    static List<Map<String, @Nullable Object>> maps(JsonNode array) {
        return Oracle.elements(array).map(JsonValues::map).toList();
    }
}
