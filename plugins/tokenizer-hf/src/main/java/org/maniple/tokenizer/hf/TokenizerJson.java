package org.maniple.tokenizer.hf;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Consumer;
import org.maniple.api.checkpoint.TokenizerParts;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a tokenizer.json says, ready to run.
 *
 * @param tokens        all tokens
 * @param encoder       text to ids
 * @param postProcessor the special tokens around them
 * @param decoder       ids to text
 */
record TokenizerJson(TokenTable tokens, TextEncoder encoder, PostProcessor postProcessor, DecoderChain decoder) {

    /** Reads the file's bytes; {@code file} is its name in messages. */
    static TokenizerJson read(String file, byte[] json) {
        return read(file, json, model -> {});
    }

    /** Reads the file in parts. */
    static TokenizerJson of(String file, TokenizerParts parts) {
        return read(file, parts.rest().getBytes(StandardCharsets.UTF_8), model -> model.add(parts));
    }

    private static TokenizerJson read(String file, byte[] json, Consumer<BpeSection> more) {
        try (var parser = BoundedFiles.parser(json)) {
            var rest = JsonNodeFactory.instance.objectNode();
            var model = sections(file, parser, rest);
            more.accept(model);
            return build(model, new JsonField(file, "", rest));
        } catch (JacksonException e) {
            throw new TokenizerFileException(file, "", "is not valid JSON: " + e.getOriginalMessage(), e);
        }
    }

    private static BpeSection sections(String file, JsonParser parser, ObjectNode rest) {
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            throw new TokenizerFileException(file, "", "expected an object");
        }
        BpeSection model = null;
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            var name = parser.currentName();
            parser.nextToken();
            if (name.equals("model")) {
                model = new BpeSection(file, parser);
                model.read();
            } else {
                rest.set(name, BoundedFiles.part(parser));
            }
        }
        if (model == null) {
            throw new TokenizerFileException(file, "model", "is missing");
        }
        return model;
    }

    private static TokenizerJson build(BpeSection section, JsonField root) {
        var vocabulary = section.vocabulary();
        List<AddedToken> added = root.optional("added_tokens").stream().flatMap(field -> field.elements().stream())
                .map(AddedToken::read)
                .toList();
        var tokens = TokenTable.of(vocabulary, added, root.file());
        Normalizer normalizer = root.optional("normalizer").map(NormalizerReader::read).orElse(text -> text);
        PreTokenizer preTokenizer = root.optional("pre_tokenizer").map(PreTokenizerReader::read)
                .orElse((piece, parts) -> parts.accept(piece));
        var postProcessor = root.optional("post_processor").map(field -> PostProcessor.read(field, tokens))
                .orElse(PostProcessor.none());
        var decoder = root.optional("decoder").map(DecoderReader::read).orElse(DecoderReader.none());
        return new TokenizerJson(tokens, new TextEncoder(normalizer, preTokenizer, section.model(), added), postProcessor,
                decoder);
    }
}
