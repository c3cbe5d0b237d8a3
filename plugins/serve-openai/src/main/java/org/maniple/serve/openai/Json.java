package org.maniple.serve.openai;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;

/**
 * Reads and writes JSON. What is read is hostile: depth, numbers, names and the count of tokens are bounded, keys may not repeat,
 * and text must be UTF-8 without lone surrogates.
 */
final class Json {

    private static final int DEPTH = 64;
    private static final int NUMBER_CHARACTERS = 100;
    private static final int NAME_CHARACTERS = 1024;
    private static final long TOKENS = 1_000_000;

    /** Made when the first JSON is read or written: that takes longer than most of what else a start does. */
    private static final class Once {
        private static final JsonFactory FACTORY = JsonFactory.builder()
                .streamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(DEPTH)
                        .maxNumberLength(NUMBER_CHARACTERS)
                        .maxNameLength(NAME_CHARACTERS)
                        .maxTokenCount(TOKENS)
                        .maxStringLength(Integer.MAX_VALUE) // a body is bounded before it comes here
                        .build())
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .build();
    }

    /** Reads and writes something, so that the first request need not wait for what that takes once. */
    void prepare() {
        readObject("{\"prepare\":[1,true,\"\"]}".getBytes(StandardCharsets.UTF_8));
        bytes(json -> json.writeString("prepared"));
    }

    /**
     * Reads the body of a request.
     *
     * @throws ApiException 400 if it is not one JSON object
     */
    Map<String, @Nullable Object> readObject(byte[] body) {
        String text = decode(body);
        try (JsonParser parser = Once.FACTORY.createParser(ObjectReadContext.empty(), text)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw ApiException.of(400, "The body must be a JSON object, for example {\"model\": \"…\"}.");
            }
            Map<String, @Nullable Object> object = object(parser);
            if (parser.nextToken() != null) {
                throw ApiException.of(400, "The body has text after its JSON object, at " + place(parser) + ".");
            }
            return object;
        } catch (JacksonException e) {
            var location = e.getLocation();
            String place = location == null ? "" : " at line " + location.getLineNr() + ", column " + location.getColumnNr();
            throw ApiException.of(400, "The body is not valid JSON" + place + ": " + ApiException.shown(e.getOriginalMessage()));
        }
    }

    /** Writes a value to bytes. */
    byte[] bytes(JsonReply reply) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(512);
        write(reply, out);
        return out.toByteArray();
    }

    /** Writes a value to a stream. */
    void write(JsonReply reply, OutputStream out) {
        try (JsonGenerator json = Once.FACTORY.createGenerator(ObjectWriteContext.empty(), out)) {
            reply.write(json);
        }
    }

    /** Writes a text or null. */
    static void text(JsonGenerator json, String name, Optional<String> value) {
        json.writeName(name);
        if (value.isPresent()) {
            json.writeString(value.get());
        } else {
            json.writeNull();
        }
    }

    /** Writes a list of whole numbers. */
    static void integers(JsonGenerator json, String name, List<Integer> values) {
        json.writeArrayPropertyStart(name);
        for (int value : values) {
            json.writeNumber(value);
        }
        json.writeEndArray();
    }

    private static String decode(byte[] body) {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        ByteBuffer in = ByteBuffer.wrap(body);
        CharBuffer out = CharBuffer.allocate(body.length);
        CoderResult result = decoder.decode(in, out, true);
        if (result.isError()) {
            throw ApiException.of(400, "The body is not UTF-8: byte " + in.position() + " does not begin a character.");
        }
        out.flip();
        if (!out.isEmpty() && out.charAt(0) == '\uFEFF') {
            throw ApiException.of(400, "The body begins with a byte order mark (byte 0); send JSON without it.");
        }
        return out.toString();
    }

    private Map<String, @Nullable Object> object(JsonParser parser) {
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String name = whole(parser.currentName(), parser);
            parser.nextToken();
            object.put(name, value(parser));
        }
        return object;
    }

    private List<@Nullable Object> array(JsonParser parser) {
        List<@Nullable Object> array = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            array.add(value(parser));
        }
        return array;
    }

    private @Nullable Object value(JsonParser parser) {
        return switch (parser.currentToken()) {
            case START_OBJECT -> object(parser);
            case START_ARRAY -> array(parser);
            case VALUE_STRING -> whole(parser.getString(), parser);
            case VALUE_NUMBER_INT -> parser.getNumberValue();
            case VALUE_NUMBER_FLOAT -> finite(parser);
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            default -> null;
        };
    }

    private static double finite(JsonParser parser) {
        double value = parser.getDoubleValue();
        if (!Double.isFinite(value)) {
            throw ApiException.of(400, "The body has a number that is too large, at " + place(parser) + ".");
        }
        return value;
    }

    private static String whole(String text, JsonParser parser) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isSurrogate(c)) {
                if (Character.isLowSurrogate(c) || i + 1 == text.length() || !Character.isLowSurrogate(text.charAt(i + 1))) {
                    throw ApiException.of(400,
                            "The body has half a surrogate pair in the text that ends at " + place(parser) + ".");
                }
                i++;
            }
        }
        return text;
    }

    private static String place(JsonParser parser) {
        var location = parser.currentLocation();
        return "line " + location.getLineNr() + ", column " + location.getColumnNr();
    }
}
