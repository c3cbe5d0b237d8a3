package org.maniple.serve.openai;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.maniple.api.text.TextCodec;

/** The field {@code prompt} of a completion, or {@code input} of embeddings: a text, texts, token ids, or lists of token ids. */
final class CompletionPrompts {

    static final int MAX_PROMPTS = 128;

    private final String field;
    private final int most;
    private final Optional<TextCodec> codec;
    private final int vocabulary;

    CompletionPrompts(Optional<TextCodec> codec, int vocabulary) {
        this("prompt", MAX_PROMPTS, codec, vocabulary);
    }

    /** @param most how many there may be */
    CompletionPrompts(String field, int most, Optional<TextCodec> codec, int vocabulary) {
        this.field = field;
        this.most = most;
        this.codec = codec;
        this.vocabulary = vocabulary;
    }

    /**
     * Reads and tokenizes.
     *
     * @throws ApiException 400 if the field is missing, of another type, or names a token that the model does not have
     */
    List<Prompt> read(Fields fields) {
        boolean special = fields.flag("add_special_tokens", true);
        return switch (fields.raw(field)) {
            case null -> throw fields.problem(field, "is missing; it must be a string, a list of strings, or token ids");
            case String text -> List.of(encoded(fields, text, special));
            case List<?> list when list.isEmpty() ->
                throw fields.problem(field, "is an empty list; send at least one token or text");
            case List<?> list when list.getFirst() instanceof Number -> List.of(tokens(fields, list));
            case List<?> list -> several(fields, list, special);
            case Object other -> throw fields.wrong(field, "a string, a list of strings, or token ids", other);
        };
    }

    private List<Prompt> several(Fields fields, List<?> list, boolean special) {
        if (list.size() > most) {
            throw fields.problem(field, "has " + list.size() + " prompts; at most " + most + " are allowed");
        }
        boolean texts = list.getFirst() instanceof String;
        List<Prompt> prompts = new ArrayList<>(list.size());
        for (Object item : list) {
            prompts.add(switch (item) {
                case String text when texts -> encoded(fields, text, special);
                case List<?> ids when !texts -> tokens(fields, ids);
                case null, default -> throw fields.wrong(field, "all strings or all lists of token ids", item);
            });
        }
        return prompts;
    }

    private Prompt encoded(Fields fields, String text, boolean special) {
        TextCodec tokenizer = codec.orElseThrow(() -> fields.problem(field,
                "must be token ids: this server runs without a tokenizer (skip-tokenizer-init)"));
        return new Prompt(tokenizer.encode(text, special), Optional.of(text));
    }

    private Prompt tokens(Fields fields, List<?> ids) {
        int[] tokens = new int[ids.size()];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = (int) fields.toWhole(field, ids.get(i), 0, vocabulary - 1L);
        }
        return new Prompt(tokens, Optional.empty());
    }
}
