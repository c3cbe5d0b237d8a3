package org.maniple.tokenizer.hf;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;

/** Reads the files of a model directory, none of which may be larger or nested deeper than makes sense. */
final class BoundedFiles {
    static final long LARGEST_TOKENIZER = 256L << 20;
    static final long LARGEST_CONFIG = 16L << 20;
    static final long LARGEST_TEMPLATE = 1L << 20;
    private static final int DEEPEST = 64;
    private static final int LONGEST_STRING = 1 << 20;

    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(DEEPEST).maxStringLength(LONGEST_STRING)
                    .maxNameLength(LONGEST_STRING).maxNumberLength(64).maxDocumentLength(LARGEST_TOKENIZER).build())
            .build();

    private BoundedFiles() {}

    static JsonParser parser(byte[] json) {
        return FACTORY.createParser(ObjectReadContext.empty(), json);
    }

    /** The value the parser stands on; it stands on the value's end afterwards. */
    static JsonNode part(JsonParser parser) {
        return JsonTree.read(parser);
    }

    /** The bytes of {@code file}, which must exist. */
    static byte[] read(Path file, long largest) {
        try {
            long size = Files.size(file);
            if (size > largest) {
                throw new TokenizerFileException(file.toString(), "",
                        "is " + size + " bytes long, more than the " + largest + " accepted");
            }
            try (var in = Files.newInputStream(file)) {
                var bytes = in.readNBytes((int) largest);
                return bytes;
            }
        } catch (IOException e) {
            throw new TokenizerFileException(file.toString(), "", "cannot be read: " + e.getMessage(), e);
        }
    }

    /** The root of a small JSON file, or empty where there is no such file. */
    static Optional<JsonField> config(TextFiles files, String name) {
        Optional<byte[]> content = files.read(name, LARGEST_CONFIG);
        if (content.isEmpty()) {
            return Optional.empty();
        }
        String file = files.label(name);
        try (var parser = parser(content.get())) {
            parser.nextToken();
            var root = new JsonField(file, "", JsonTree.read(parser));
            if (!root.isObject()) {
                throw root.error("expected an object");
            }
            if (parser.nextToken() != null) {
                throw root.error("something follows the object");
            }
            return Optional.of(root);
        } catch (JacksonException e) {
            throw new TokenizerFileException(file, "", "is not valid JSON: " + e.getOriginalMessage(), e);
        }
    }
}
