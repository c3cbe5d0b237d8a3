package org.maniple.kernel.config;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.maniple.kernel.config.YamlNode.Entry;
import org.maniple.kernel.config.YamlNode.Mapping;
import org.maniple.kernel.config.YamlNode.Scalar;
import org.maniple.kernel.config.YamlNode.Sequence;
import org.maniple.kernel.plugin.LoadedPlugin;
import org.maniple.kernel.plugin.NearestName;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DatabindException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.exc.InvalidFormatException;
import tools.jackson.databind.exc.UnrecognizedPropertyException;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;

/** Binds the node of each plugin to the plugin's record, strictly. */
final class PluginConfigurations {

    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private final ConfigurationFile file;
    private final Problems problems;
    private @Nullable JsonMapper mapper;

    PluginConfigurations(ConfigurationFile file, Problems problems) {
        this.file = file;
        this.problems = problems;
    }

    /** Plugin id to bound record, for every plugin that has one. */
    Map<String, Record> bind(List<LoadedPlugin> plugins) {
        var bound = new LinkedHashMap<String, Record>();
        for (LoadedPlugin plugin : plugins) {
            Optional<Mapping> node = file.plugin(plugin.id());
            if (plugin.configurationType().isPresent()) {
                bind(plugin.id(), node, plugin.configurationType().get()).ifPresent(record -> bound.put(plugin.id(), record));
            } else if (node.isPresent() && !node.get().entries().isEmpty()) {
                problems.add(file.at(node.get().line()), "plugins." + plugin.id(),
                        "this plugin has no configuration of its own; remove the node");
            }
        }
        return bound;
    }

    /** Made for the first record: few plugins have one, and making it takes a noticeable part of a start. */
    private JsonMapper mapper() {
        JsonMapper made = mapper;
        if (made == null) {
            made = JsonMapper.builder()
                    .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                    .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
                    .build();
            mapper = made;
        }
        return made;
    }

    private Optional<Record> bind(String id, Optional<Mapping> node, Class<? extends Record> type) {
        Mapping mapping = node.orElse(new Mapping(0, List.of()));
        try {
            return Optional.of(mapper().treeToValue(json(mapping), type));
        } catch (UnrecognizedPropertyException e) {
            var known = e.getKnownPropertyIds() == null
                    ? List.<String>of()
                    : e.getKnownPropertyIds().stream().map(String::valueOf).sorted().toList();
            report(id, mapping, e, "unknown key; known: " + known + NearestName.hint(e.getPropertyName(), known));
        } catch (DatabindException e) {
            report(id, mapping, e, cause(e));
        } catch (JacksonException e) {
            report(id, mapping, List.of(), e.getOriginalMessage());
        }
        return Optional.empty();
    }

    /** What a record's constructor complained about, or what Jackson did, in one line. */
    private static String cause(DatabindException e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof IllegalArgumentException) {
                return String.valueOf(cause.getMessage());
            }
        }
        if (String.valueOf(e.getOriginalMessage()).startsWith("Cannot map `null`")) {
            return "the key has no value; give one, or remove the line";
        }
        if (e instanceof InvalidFormatException format) {
            return "[" + format.getValue() + "] is no " + format.getTargetType().getSimpleName();
        }
        return String.valueOf(e.getOriginalMessage()).lines().findFirst().orElse("cannot be bound")
                .replaceAll("`[\\w.$]*?([A-Za-z]+)`", "[$1]");
    }

    private void report(String id, Mapping mapping, DatabindException e, String message) {
        report(id, mapping, e.getPath().stream().map(reference -> reference.getPropertyName() == null
                ? Integer.toString(reference.getIndex())
                : reference.getPropertyName()).toList(), message);
    }

    private void report(String id, Mapping mapping, List<String> path, String message) {
        int line = line(mapping, path);
        String key = "plugins." + id + path.stream().map(step -> "." + step).collect(Collectors.joining());
        problems.add(line > 0 ? file.at(line) : "", key, message);
    }

    private static int line(YamlNode node, List<String> path) {
        if (path.isEmpty()) {
            return node.line();
        }
        List<String> rest = path.subList(1, path.size());
        if (node instanceof Mapping mapping) {
            for (Entry entry : mapping.entries()) {
                if (entry.key().equals(path.getFirst())) {
                    return rest.isEmpty() ? entry.line() : line(entry.value(), rest);
                }
            }
        }
        if (node instanceof Sequence sequence && path.getFirst().matches("\\d+")
                && Integer.parseInt(path.getFirst()) < sequence.items().size()) {
            return line(sequence.items().get(Integer.parseInt(path.getFirst())), rest);
        }
        return node.line();
    }

    private static JsonNode json(YamlNode node) {
        return switch (node) {
            case Mapping mapping -> {
                var object = NODES.objectNode();
                mapping.entries().forEach(entry -> object.set(entry.key(), json(entry.value())));
                yield object;
            }
            case Sequence sequence -> {
                var array = NODES.arrayNode();
                sequence.items().forEach(item -> array.add(json(item)));
                yield array;
            }
            case Scalar scalar -> json(scalar);
        };
    }

    private static JsonNode json(Scalar scalar) {
        return switch (scalar.kind()) {
            case TEXT -> NODES.stringNode(scalar.text());
            case TRUTH -> NODES.booleanNode(scalar.text().equals("true"));
            case NOTHING -> NODES.nullNode();
            case WHOLE -> scalar.text().matches("[-+]?\\d{1,18}")
                    ? NODES.numberNode(Long.parseLong(scalar.text()))
                    : NODES.stringNode(scalar.text());
            case NUMBER -> number(scalar.text());
        };
    }

    private static JsonNode number(String text) {
        try {
            return NODES.numberNode(Double.parseDouble(text));
        } catch (NumberFormatException e) {
            return NODES.stringNode(text);
        }
    }
}
