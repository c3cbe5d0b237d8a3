package org.maniple.tokenizer.hf;

import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** A model's text codec: text to token ids and back, and conversations to prompts. Immutable and thread-safe. */
final class HfTextCodec {
    private final TokenizerJson tokenizer;
    private final SpecialTokenPolicy policy;
    private final ChatTemplates templates;

    HfTextCodec(TokenizerJson tokenizer, SpecialTokenPolicy policy, ChatTemplates templates) {
        this.tokenizer = tokenizer;
        this.policy = policy;
        this.templates = templates;
    }

    /** One more than the largest token id. */
    int vocabularySize() {
        return tokenizer.tokens().size();
    }

    /**
     * The ids of {@code text}. Added tokens spelled in the text become those tokens.
     *
     * @param addSpecialTokens put around them what the tokenizer puts around a text, usually a beginning-of-text token; not wanted after
     *                         {@link #applyChatTemplate}, whose prompts have it already
     */
    int[] encode(String text, boolean addSpecialTokens) {
        var ids = tokenizer.encoder().encode(text);
        return addSpecialTokens ? policy.apply(tokenizer.postProcessor().apply(ids)) : ids;
    }

    /** The text of {@code ids}; ids that are no tokens are passed over. */
    String decode(int[] ids, boolean skipSpecial) {
        var text = new StringBuilder();
        var sink = tokenizer.decoder().open(text, false);
        for (int id : ids) {
            @Nullable String token = tokenizer.tokens().token(id);
            if (token != null && !(skipSpecial && tokenizer.tokens().isSpecial(id))) {
                sink.accept(token, true);
            }
        }
        sink.finish();
        return text.toString();
    }

    /** A decoder for one answer that arrives token by token. */
    IncrementalDecoder decoder(boolean skipSpecial) {
        return new IncrementalDecoder(tokenizer.tokens(), tokenizer.decoder(), skipSpecial);
    }

    /** The bytes a token adds in the middle of a text: part of a character perhaps. None for an id that is no token. */
    byte[] tokenBytes(int id) {
        @Nullable String token = tokenizer.tokens().token(id);
        return token == null ? new byte[0] : tokenizer.decoder().bytes(token);
    }

    /** The token as the vocabulary spells it, or "" for an id that is no token. */
    String tokenText(int id) {
        @Nullable String token = tokenizer.tokens().token(id);
        return token == null ? "" : token;
    }

    OptionalInt idOf(String token) {
        return tokenizer.tokens().find(token);
    }

    boolean hasChatTemplate() {
        return !templates.isEmpty();
    }

    /**
     * The prompt for a conversation.
     *
     * @param messages  maps of {@code role}, {@code content} and whatever else the template looks at; values are null, booleans, numbers,
     *                  strings, lists and maps with string keys
     * @param variables {@code tools}, {@code documents}, {@code add_generation_prompt} and other variables of the template
     * @throws TemplateException       where the template refuses the conversation or exceeds its limits
     * @throws TokenizerFileException where the model has no chat template
     */
    String applyChatTemplate(List<? extends Map<String, ?>> messages, Map<String, ?> variables) {
        return templates.render(messages, variables);
    }
}
