package org.maniple.checkpoint.safetensors;

import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import tools.jackson.core.JsonParser;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.json.JsonFactory;

/** How JSON from a checkpoint is read: as a stream of tokens within limits, always as UTF-8, each key of an object once. */
final class JsonText {

    /** The format's own limit for headers; used for indexes too. */
    static final long MAX_BYTES = 100_000_000;
    /** More than any published model has. */
    static final int MAX_TENSORS = 1_000_000;

    private static final int MAX_NAME = 1024;

    private JsonText() {}

    static JsonParser parse(InputStream in) {
        var constraints = StreamReadConstraints.builder().maxNestingDepth(8).maxNameLength(MAX_NAME).maxStringLength(MAX_NAME)
                .maxNumberLength(20).maxDocumentLength(MAX_BYTES).build();
        var factory = JsonFactory.builder().streamReadConstraints(constraints)
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES).build();
        // A reader, because the parser would otherwise guess the encoding.
        var decoder = StandardCharsets.UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        return factory.createParser(ObjectReadContext.empty(), new InputStreamReader(in, decoder));
    }
}
