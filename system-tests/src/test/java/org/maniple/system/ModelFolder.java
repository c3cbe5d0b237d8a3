package org.maniple.system;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Copies of models that differ in some values of their configuration. */
final class ModelFolder {

    private static final Set<String> CHANGED = Set.of("config.json", "generation_config.json");
    private static final JsonMapper JSON = new JsonMapper();

    private ModelFolder() {}

    /** A model in a new folder, with these values in its configuration and its defaults for generation. */
    static Path changed(Path model, Path folder, Map<String, ?> values) {
        try {
            Path copy = Files.createTempDirectory(folder, model.getFileName().toString());
            List<Path> files;
            try (Stream<Path> list = Files.list(model)) {
                files = list.toList();
            }
            for (Path file : files) {
                String name = file.getFileName().toString();
                if (CHANGED.contains(name)) {
                    ObjectNode json = (ObjectNode) JSON.readTree(Files.readString(file));
                    values.forEach((key, value) -> {
                        if (name.equals("config.json") || json.has(key)) {
                            json.set(key, JSON.valueToTree(value));
                        }
                    });
                    Files.writeString(copy.resolve(name), JSON.writeValueAsString(json));
                } else if (!name.startsWith("expected")) {
                    Files.copy(file, copy.resolve(name));
                }
            }
            return copy;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
