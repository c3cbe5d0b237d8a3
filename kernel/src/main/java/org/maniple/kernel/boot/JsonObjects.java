package org.maniple.kernel.boot;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.exc.StreamReadException;
import tools.jackson.core.json.JsonFactory;

/**
 * JSON objects as maps, lists, texts, numbers and truth values. Reads tokens, since all that binds JSON to classes takes a tenth of a second of a start to
 * set up. Sizes and depths are bounded: the files come from elsewhere.
 */
final class JsonObjects {

    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(
                    StreamReadConstraints.builder().maxNestingDepth(64).maxStringLength(1 << 20).maxNumberLength(100).build())
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    private JsonObjects() {}

    /**
     * What a file says.
     *
     * @throws JacksonException if it is not one JSON object
     */
    static Map<String, Object> read(byte[] content) {
        try (JsonParser json = FACTORY.createParser(ObjectReadContext.empty(), content)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new StreamReadException(json, "expected an object");
            }
            Map<String, Object> object = object(json);
            if (json.nextToken() != null) {
                throw new StreamReadException(json, "something follows the object");
            }
            return object;
        }
    }

    /** From the brace that opens an object to the one that closes it. */
    @SuppressWarnings("NullAway") // as in the file, a value may be null
    private static Map<String, Object> object(JsonParser json) {
        var object = new LinkedHashMap<String, Object>();
        while (json.nextToken() == JsonToken.PROPERTY_NAME) {
            String name = json.currentName();
            json.nextToken();
            object.put(name, value(json));
        }
        return object;
    }

    @SuppressWarnings("NullAway") // as in the file, an element may be null
    private static List<Object> array(JsonParser json) {
        var array = new ArrayList<Object>();
        while (json.nextToken() != JsonToken.END_ARRAY) {
            array.add(value(json));
        }
        return array;
    }

    private static @Nullable Object value(JsonParser json) {
        return switch (json.currentToken()) {
            case START_OBJECT -> object(json);
            case START_ARRAY -> array(json);
            case VALUE_STRING -> json.getString();
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> json.getNumberValue();
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case VALUE_NULL -> null;
            case null, default -> throw new StreamReadException(json, "expected a value");
        };
    }
}
