package org.maniple.testkit;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.maniple.api.model.ModelConfig;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/**
 * The files of a model whose outputs are known. They are trusted.
 *
 * @param directory where they are
 */
public record OracleModel(Path directory) {

    private static final TypeReference<Map<String, Object>> OBJECT = new TypeReference<>() {};

    /**
     * Its configuration.
     *
     * @return what {@code config.json} says
     */
    public ModelConfig config() {
        Path file = directory.resolve("config.json");
        return new ModelConfig(file.getFileName().toString(), JsonMapper.shared().readValue(file, OBJECT));
    }

    /**
     * The shapes of all stored tensors, read from the headers of its files without any checks.
     *
     * @return extents by tensor name
     */
    public Map<String, List<Long>> storedShapes() {
        var shapes = new HashMap<String, List<Long>>();
        try (var files = Files.newDirectoryStream(directory, "model*.safetensors")) {
            for (Path file : files) {
                header(file).forEach((name, value) -> {
                    if (value instanceof Map<?, ?> tensor && tensor.get("shape") instanceof List<?> shape) {
                        shapes.put(name, shape.stream().map(extent -> ((Number) extent).longValue()).toList());
                    }
                });
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return shapes;
    }

    private static Map<String, Object> header(Path file) throws IOException {
        try (var in = new DataInputStream(Files.newInputStream(file))) {
            int length = Math.toIntExact(Long.reverseBytes(in.readLong()));
            return JsonMapper.shared().readValue(in.readNBytes(length), OBJECT);
        }
    }
}
