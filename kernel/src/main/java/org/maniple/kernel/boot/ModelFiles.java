package org.maniple.kernel.boot;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.maniple.api.ManipleException;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.checkpoint.CheckpointFormat;
import org.maniple.api.checkpoint.CompanionFiles;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.model.ModelConfigException;
import org.maniple.api.tensor.DType;
import org.maniple.kernel.plugin.ExtensionKind;
import org.maniple.kernel.plugin.Extensions;
import tools.jackson.core.JacksonException;

/** The JSON files beside a model's weights. Their sizes and depths are bounded, since they come from elsewhere. Safe for use by several threads. */
final class ModelFiles {

    private static final String CONFIG = "config.json";
    private static final String GENERATION = "generation_config.json";
    private static final long LARGEST = 16L << 20;
    /** A model of 10¹² weights has an index of about 14 MB. */
    private static final long LARGEST_INDEX = 128L << 20;
    private final Path folder;
    private final Optional<CompanionFiles> companions;
    private final Supplier<Map<String, DType>> types;
    /** What has been read before, since a start asks several times. */
    private final Map<String, ModelConfig> known = new ConcurrentHashMap<>();

    /**
     * @param folder the model
     * @param companions its files, where the format of its weights has them
     * @param types gives the types of its tensors, as far as they are known without them
     */
    private ModelFiles(Path folder, Optional<CompanionFiles> companions, Supplier<Map<String, DType>> types) {
        this.folder = folder;
        this.companions = companions;
        this.types = types;
    }

    /** The files of a model, which are those that the format of its weights provides, if it does. */
    static ModelFiles of(Path model, Extensions extensions) {
        Optional<CheckpointFormat> format = format(model, extensions);
        Optional<CompanionFiles> companions = format.flatMap(known -> known.companions(model));
        return new ModelFiles(model, companions, () -> companions.isEmpty() ? Map.of() : types(format.orElseThrow(), model));
    }

    private static Optional<CheckpointFormat> format(Path model, Extensions extensions) {
        List<CheckpointFormat> formats = extensions.all(ExtensionKind.CHECKPOINT);
        return formats.stream().filter(format -> format.accepts(model)).findFirst();
    }

    private static Map<String, DType> types(CheckpointFormat format, Path model) {
        var types = new HashMap<String, DType>();
        try (Checkpoint checkpoint = format.open(model)) {
            checkpoint.names().forEach(name -> types.put(name, checkpoint.tensor(name).orElseThrow().dtype()));
        }
        return types;
    }

    /** What a format provides for a model. */
    static Optional<CompanionFiles> companions(Path model, Extensions extensions) {
        return format(model, extensions).flatMap(format -> format.companions(model));
    }

    /**
     * How the elements of tensors are stored, where the format of the weights has the configuration too: there it is not in the configuration. Empty
     * elsewhere.
     */
    Map<String, DType> types() {
        return types.get();
    }

    /** The model's configuration. */
    ModelConfig config() {
        return known.computeIfAbsent(CONFIG, any -> readConfig());
    }

    private ModelConfig readConfig() {
        if (companions.isPresent()) {
            return provided(companions.get(), CONFIG);
        }
        Path file = folder.resolve(CONFIG);
        if (!Files.isRegularFile(file)) {
            throw new ModelConfigException(
                    "model [" + folder + "] has no config.json; give the folder that holds config.json and the weights");
        }
        return read(file);
    }

    /** The model's defaults for sampling; empty if it has none. */
    ModelConfig generationDefaults() {
        return known.computeIfAbsent(GENERATION, any -> readGenerationDefaults());
    }

    private ModelConfig readGenerationDefaults() {
        if (companions.isPresent()) {
            return provided(companions.get(), GENERATION);
        }
        Path file = folder.resolve(GENERATION);
        return Files.isRegularFile(file) ? read(file) : new ModelConfig(GENERATION, Map.of());
    }

    /** The names of all tensors, by the index of a checkpoint in several files; empty if there is none. */
    Set<String> indexedTensors() {
        if (companions.isPresent()) {
            return types().keySet();
        }
        Path file = folder.resolve("model.safetensors.index.json");
        if (!Files.isRegularFile(file)) {
            return Set.of();
        }
        return read(file, LARGEST_INDEX).object("weight_map").map(ModelConfig::keys).orElse(Set.of());
    }

    /** Tokens that end an output, from both files. */
    List<Integer> endTokens(int vocabulary) {
        var ids = new TreeSet<Integer>();
        ids.addAll(generationDefaults().integers("eos_token_id"));
        ids.addAll(config().integers("eos_token_id"));
        ids.removeIf(id -> id < 0 || id >= vocabulary);
        return List.copyOf(ids);
    }

    private static ModelConfig provided(CompanionFiles files, String name) {
        String where = files.origin() + " (as " + name + ")";
        return files.read(name).map(content -> parse(content, where)).orElseGet(() -> new ModelConfig(where, Map.of()));
    }

    /** Lets the JVM make what it needs to read JSON. */
    static void prepare() {
        parse(new byte[] {'{', '}'}, "nothing");
    }

    private static ModelConfig parse(byte[] content, String where) {
        try {
            return new ModelConfig(where, JsonObjects.read(content));
        } catch (JacksonException e) {
            throw new ModelConfigException(where + " is no JSON object: " + e.getOriginalMessage());
        }
    }

    private static ModelConfig read(Path file) {
        return read(file, LARGEST);
    }

    private static ModelConfig read(Path file, long largest) {
        try {
            if (Files.size(file) > largest) {
                throw new ModelConfigException(
                        file + " has " + Files.size(file) + " bytes; expected at most " + largest);
            }
            return parse(Files.readAllBytes(file), file.toString());
        } catch (IOException e) {
            throw new ManipleException(file + " cannot be read: " + e.getMessage(), e);
        }
    }
}
