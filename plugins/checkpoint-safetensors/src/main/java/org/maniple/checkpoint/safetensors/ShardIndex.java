package org.maniple.checkpoint.safetensors;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.maniple.api.checkpoint.CheckpointException;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/** Reads {@code model.safetensors.index.json}: which tensor is in which file. */
final class ShardIndex {

    private static final String MAP = "weight_map";

    private ShardIndex() {}

    /**
     * Reads an index.
     *
     * @return the file name of each tensor, in the order of the index
     * @throws CheckpointException if the index is damaged or names files outside its directory
     */
    static Map<String, String> read(Path index) {
        try (var in = Files.newInputStream(index)) {
            long size = Files.size(index);
            if (size > JsonText.MAX_BYTES) {
                throw new CheckpointException(index + ": has " + size + " bytes; an index may have " + JsonText.MAX_BYTES);
            }
            try (JsonParser parser = JsonText.parse(in)) {
                return read(index, parser);
            }
        } catch (JacksonException e) {
            throw new CheckpointException(index + ": is no valid index: " + Shown.name(e.getOriginalMessage()), e);
        } catch (IOException e) {
            throw new CheckpointException(index + ": cannot be read", e);
        }
    }

    private static Map<String, String> read(Path index, JsonParser parser) {
        Map<String, String> files = Map.of();
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            throw new CheckpointException(index + ": must be a JSON object with the key [" + MAP + "]");
        }
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            boolean map = MAP.equals(parser.currentName());
            parser.nextToken();
            if (map) {
                files = weightMap(index, parser);
            } else {
                parser.skipChildren();
            }
        }
        if (parser.nextToken() != null) {
            throw new CheckpointException(index + ": goes on after its JSON object");
        }
        if (files.isEmpty()) {
            throw new CheckpointException(index + ": key [" + MAP + "] is missing or empty; it must map tensors to files");
        }
        return files;
    }

    private static Map<String, String> weightMap(Path index, JsonParser parser) {
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            throw new CheckpointException(index + ": key [" + MAP + "] must be an object that maps tensors to files");
        }
        var files = new LinkedHashMap<String, String>();
        var names = new HashMap<String, String>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String tensor = parser.currentName();
            if (parser.nextToken() != JsonToken.VALUE_STRING) {
                throw new CheckpointException(index + ": tensor [" + Shown.name(tensor) + "] must have a file name");
            }
            String name = names.computeIfAbsent(parser.getString(), file -> checked(index, tensor, file));
            files.put(tensor, name);
            if (files.size() > JsonText.MAX_TENSORS) {
                throw new CheckpointException(index + ": lists more than " + JsonText.MAX_TENSORS + " tensors");
            }
        }
        return files;
    }

    /** Shards lie beside their index: a name with a directory in it could point anywhere. */
    private static String checked(Path index, String tensor, String file) {
        boolean plain = !file.isEmpty() && !file.startsWith(".")
                && file.chars().allMatch(c -> c > ' ' && c != '/' && c != '\\' && c != ':');
        if (!plain) {
            throw new CheckpointException(index + ": tensor [" + Shown.name(tensor) + "] is said to be in [" + Shown.name(file)
                    + "]; it must be the plain name of a file beside the index");
        }
        return file;
    }
}
