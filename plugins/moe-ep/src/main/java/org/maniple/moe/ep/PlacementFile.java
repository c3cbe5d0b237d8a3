package org.maniple.moe.ep;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.maniple.api.mesh.SplitException;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The experts of each rank, listed in a JSON file: {@code [[0,1],[2,3]]}, a list for each rank, for all layers; or a list of that kind for each
 * layer, counted from 0, with {@code null} for a layer without experts; or SGLang's
 * <code>{"physical_to_logical_map": [[0,1,2,3], …]}</code>, all slots for each layer, which are cut into equal parts.
 *
 * @param path the file, for messages
 * @param layers what is listed, for all layers if {@code common}; empty for a layer without experts
 * @param common whether one list is for all layers
 * @param flat whether each layer has one list, to be cut into as many as there are ranks
 */
record PlacementFile(Path path, List<Optional<List<List<Integer>>>> layers, boolean common, boolean flat) {

    private static final long LARGEST_FILE = 16 << 20;
    private static final int MOST_LAYERS = 4096;
    private static final int MOST_RANKS = 65_536;
    private static final int MOST_SLOTS = 1 << 16;
    private static final int DEEPEST = 8;
    private static final String SGLANG = "physical_to_logical_map";

    static PlacementFile read(Path path) {
        JsonNode root = tree(path);
        if (root.isObject()) {
            if (!root.path(SGLANG).isArray()) {
                throw error(path, "has no list [" + SGLANG + "]" + forms());
            }
            return checked(new PlacementFile(path, layers(path, root.path(SGLANG), true), false, true));
        }
        if (!root.isArray() || root.isEmpty()) {
            throw error(path, "holds no list of ranks" + forms());
        }
        boolean common = root.get(0).isArray() && root.get(0).path(0).isIntegralNumber();
        return checked(new PlacementFile(path, common
                ? List.of(Optional.of(ranks(path, "the list", root)))
                : layers(path, root, false), common, false));
    }

    private static JsonNode tree(Path path) {
        try {
            if (Files.size(path) > LARGEST_FILE) {
                throw error(path, "has " + Files.size(path) + " bytes, more than the " + LARGEST_FILE + " accepted");
            }
            var factory = JsonFactory.builder().streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(DEEPEST)
                    .maxDocumentLength(LARGEST_FILE).maxNumberLength(16).build()).build();
            return JsonMapper.builder(factory).build().readTree(Files.readAllBytes(path));
        } catch (JacksonException e) {
            throw error(path, "is not the JSON that is expected: " + e.getOriginalMessage() + forms());
        } catch (IOException e) {
            throw error(path, "cannot be read: " + e);
        }
    }

    private static List<Optional<List<List<Integer>>>> layers(Path path, JsonNode list, boolean flat) {
        if (list.size() > MOST_LAYERS) {
            throw error(path, "lists " + list.size() + " layers, more than " + MOST_LAYERS);
        }
        var layers = new ArrayList<Optional<List<List<Integer>>>>();
        for (JsonNode layer : list) {
            String where = "layer " + layers.size();
            layers.add(layer.isNull()
                    ? Optional.empty()
                    : Optional.of(flat ? List.of(slots(path, where, layer)) : ranks(path, where, layer)));
        }
        return layers;
    }

    private static List<List<Integer>> ranks(Path path, String where, JsonNode list) {
        if (!list.isArray() || list.isEmpty() || list.size() > MOST_RANKS) {
            throw error(path, where + " is no list of up to " + MOST_RANKS + " ranks" + forms());
        }
        var ranks = new ArrayList<List<Integer>>();
        for (JsonNode rank : list) {
            ranks.add(slots(path, "rank " + ranks.size() + " of " + where, rank));
        }
        return ranks;
    }

    private static List<Integer> slots(Path path, String where, JsonNode list) {
        if (!list.isArray() || list.size() > MOST_SLOTS) {
            throw error(path, where + " is no list of up to " + MOST_SLOTS + " experts" + forms());
        }
        var slots = new ArrayList<Integer>();
        for (JsonNode expert : list) {
            if (!expert.isIntegralNumber() || !expert.canConvertToInt() || expert.intValue() < 0) {
                throw error(path, where + " has [" + expert + "] where the number of an expert was expected");
            }
            slots.add(expert.intValue());
        }
        return slots;
    }

    /** The ranks' memory is laid out once: they have as many slots in every layer. */
    private static PlacementFile checked(PlacementFile file) {
        List<Integer> first = counts(file.layers.get(file.firstLayer()));
        for (int layer = 0; layer < file.layers.size(); layer++) {
            if (file.layers.get(layer).isPresent() && !counts(file.layers.get(layer)).equals(first)) {
                throw error(file.path, "gives the ranks " + counts(file.layers.get(layer)) + " slots in layer " + layer + ", but "
                        + first + " in layer " + file.firstLayer() + "; a rank must have as many in every layer");
            }
        }
        return file;
    }

    private static List<Integer> counts(Optional<List<List<Integer>>> layer) {
        return layer.orElseThrow().stream().map(List::size).toList();
    }

    int firstLayer() {
        for (int layer = 0; layer < layers.size(); layer++) {
            if (layers.get(layer).isPresent()) {
                return layer;
            }
        }
        throw error(path, "lists no layer with experts" + forms());
    }

    List<List<Integer>> ranks(int layer, int parts) {
        int index = common ? 0 : layer;
        if (index >= layers.size() || layers.get(index).isEmpty()) {
            throw error(path, "lists no ranks for layer " + layer + ", which has experts (it lists " + layers.size()
                    + " layers, counted from 0)");
        }
        List<List<Integer>> listed = layers.get(index).orElseThrow();
        if (flat) {
            return cut(listed.getFirst(), layer, parts);
        }
        if (listed.size() != parts) {
            throw error(path, "lists " + listed.size() + " ranks, but experts are spread over dp × tp = " + parts
                    + "; list the experts of each of them");
        }
        return listed;
    }

    private List<List<Integer>> cut(List<Integer> slots, int layer, int parts) {
        if (slots.size() % parts != 0) {
            throw error(path, "lists " + slots.size() + " slots for layer " + layer + ", which cannot be dealt evenly to " + parts
                    + " ranks");
        }
        int each = slots.size() / parts;
        var ranks = new ArrayList<List<Integer>>();
        for (int part = 0; part < parts; part++) {
            ranks.add(slots.subList(part * each, (part + 1) * each));
        }
        return ranks;
    }

    private static SplitException error(Path path, String message) {
        return new SplitException(ExpertParallelism.FILE, "[" + path + "] " + message);
    }

    private static String forms() {
        return "; write a list for each rank, [[0,1],[2,3]], or a list of those for each layer, or {\"" + SGLANG
                + "\": [[0,1,2,3]]}";
    }
}
