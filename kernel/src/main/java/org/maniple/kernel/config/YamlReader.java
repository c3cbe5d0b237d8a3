package org.maniple.kernel.config;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import org.maniple.kernel.config.YamlNode.Entry;
import org.maniple.kernel.config.YamlNode.Kind;
import org.maniple.kernel.config.YamlNode.Mapping;
import org.maniple.kernel.config.YamlNode.Scalar;
import org.maniple.kernel.config.YamlNode.Sequence;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.dataformat.yaml.YAMLFactory;
import tools.jackson.dataformat.yaml.YAMLParser;

/** Reads a YAML file of bounded size and depth; a key that occurs twice is a mistake. */
final class YamlReader {

    private static final long LARGEST_FILE = 1024 * 1024;
    private static final int DEEPEST = 16;

    private final Path file;
    private final String name;
    private final Problems problems;

    YamlReader(Path file, Problems problems) {
        this.file = file;
        this.name = file.getFileName().toString();
        this.problems = problems;
    }

    /** The mapping of the file; nothing if the file cannot be read, which is a problem then. */
    Optional<Mapping> read() {
        try {
            if (!Files.isRegularFile(file)) {
                throw new NoSuchFileException(file.toString());
            }
            if (Files.size(file) > LARGEST_FILE) {
                problems.add(name, "the file has " + Files.size(file) + " bytes; a configuration has at most " + LARGEST_FILE);
                return Optional.empty();
            }
            return parse(Files.readString(file));
        } catch (NoSuchFileException e) {
            problems.add(name, "there is no file [" + file.toAbsolutePath().normalize() + "]; give the path of a YAML file");
        } catch (CharacterCodingException e) {
            problems.add(name, "the file is not UTF-8 text; give the path of a YAML file");
        } catch (IOException e) {
            problems.add(name, "the file cannot be read: " + e + "; check its permissions");
        }
        return Optional.empty();
    }

    private static Mapping empty() {
        return new Mapping(1, List.of());
    }

    private Optional<Mapping> parse(String text) {
        try (var parser = (YAMLParser) new YAMLFactory().createParser(ObjectReadContext.empty(), text)) {
            JsonToken first = parser.nextToken();
            if (first == null) {
                return Optional.of(empty());
            }
            YamlNode root = value(parser, first, 0);
            if (parser.nextToken() != null) {
                throw new BadYaml(parser.currentTokenLocation().getLineNr(),
                        "a second document begins here; a configuration is one document");
            }
            if (root instanceof Mapping mapping) {
                return Optional.of(mapping);
            }
            if (root instanceof Scalar scalar && scalar.kind() == Kind.NOTHING) {
                return Optional.of(empty());
            }
            throw new BadYaml(root.line(), "the file must consist of lines [key: value]");
        } catch (BadYaml e) {
            problems.add(name + ":" + e.line, String.valueOf(e.getMessage()));
        } catch (JacksonException e) {
            int line = e.getLocation() == null ? 0 : e.getLocation().getLineNr();
            problems.add(line > 0 ? name + ":" + line : name, "not YAML: " + reason(e.getOriginalMessage()));
        }
        return Optional.empty();
    }

    /** The parser's message has the place and a picture of the line between what it was doing and what it found. */
    private static String reason(String text) {
        var said = text.lines().map(String::strip)
                .filter(line -> line.matches("(while|expected|found|mapping|could|did|a |an |the |unacceptable).*")).toList();
        return said.isEmpty() ? text.lines().findFirst().orElse("unreadable") : String.join(": ", said);
    }

    private static YamlNode value(YAMLParser parser, JsonToken token, int depth) {
        int line = parser.currentTokenLocation().getLineNr();
        if (depth > DEEPEST) {
            throw new BadYaml(line, "values are nested more than " + DEEPEST + " deep");
        }
        if (parser.isCurrentAlias()) {
            throw new BadYaml(line, "aliases (*name) are not supported; write the value out");
        }
        return switch (token) {
            case START_OBJECT -> mapping(parser, line, depth);
            case START_ARRAY -> sequence(parser, line, depth);
            case VALUE_STRING -> new Scalar(line, Kind.TEXT, parser.getString());
            case VALUE_NUMBER_INT -> new Scalar(line, Kind.WHOLE, parser.getString());
            case VALUE_NUMBER_FLOAT -> new Scalar(line, Kind.NUMBER, parser.getString());
            case VALUE_TRUE, VALUE_FALSE -> new Scalar(line, Kind.TRUTH, token == JsonToken.VALUE_TRUE ? "true" : "false");
            case VALUE_NULL -> new Scalar(line, Kind.NOTHING, "");
            default -> throw new BadYaml(line, "a value is missing");
        };
    }

    private static Mapping mapping(YAMLParser parser, int line, int depth) {
        var entries = new ArrayList<Entry>();
        var lines = new HashMap<String, Integer>();
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            String key = parser.currentName();
            int at = parser.currentTokenLocation().getLineNr();
            Integer before = lines.put(key, at);
            if (before != null) {
                throw new BadYaml(at, "key [" + key + "] occurs again; it is in line " + before + " already");
            }
            entries.add(new Entry(key, at, value(parser, parser.nextToken(), depth + 1)));
        }
        return new Mapping(line, List.copyOf(entries));
    }

    private static Sequence sequence(YAMLParser parser, int line, int depth) {
        var items = new ArrayList<YamlNode>();
        for (JsonToken token = parser.nextToken(); token != JsonToken.END_ARRAY; token = parser.nextToken()) {
            if (token == null) {
                throw new BadYaml(line, "the list has no end");
            }
            items.add(value(parser, token, depth + 1));
        }
        return new Sequence(line, List.copyOf(items));
    }

    private static final class BadYaml extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final int line;

        BadYaml(int line, String message) {
            super(message, null, false, false);
            this.line = line;
        }
    }
}
