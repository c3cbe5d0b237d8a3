package org.maniple.tokenizer.hf;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.maniple.api.text.IncrementalDecoder;
import org.maniple.api.text.TextCodec;
import org.maniple.api.text.TextException;

/** A model's text codec: text to token ids and back, and conversations to prompts. Immutable and thread-safe. */
final class HfTextCodec implements TextCodec {
    /** How many tokens before an answer can matter for its text: unfinished characters, and whether there is any text before it. */
    private static final int CONTEXT = 32;

    private final TokenizerJson tokenizer;
    private final SpecialTokenPolicy policy;
    private final ChatTemplates templates;

    HfTextCodec(TokenizerJson tokenizer, SpecialTokenPolicy policy, ChatTemplates templates) {
        this.tokenizer = tokenizer;
        this.policy = policy;
        this.templates = templates;
    }

    @Override
    public int vocabularySize() {
        return tokenizer.tokens().size();
    }

    @Override
    public int[] encode(String text, boolean addSpecialTokens) {
        try {
            var ids = tokenizer.encoder().encode(text);
            return addSpecialTokens ? policy.apply(tokenizer.postProcessor().apply(ids)) : ids;
        } catch (TextFailure e) {
            throw new TextException(e.getMessage(), e);
        }
    }

    @Override
    public String decode(int[] ids, boolean skipSpecial) {
        var text = new StringBuilder();
        var sink = tokenizer.decoder().open(text, false);
        for (int id : ids) {
            @Nullable
            String token = tokenizer.tokens().token(id);
            if (token != null && !(skipSpecial && tokenizer.tokens().isSpecial(id))) {
                sink.accept(token, true);
            }
        }
        sink.finish();
        return text.toString();
    }

    @Override
    public IncrementalDecoder decoder(int[] prompt, boolean skipSpecial) {
        var decoder = new StreamingDecoder(tokenizer.tokens(), tokenizer.decoder(), skipSpecial);
        for (int i = Math.max(0, prompt.length - CONTEXT); i < prompt.length; i++) {
            decoder.push(prompt[i]);
        }
        return decoder;
    }

    @Override
    public byte[] bytes(int id) {
        @Nullable
        String token = tokenizer.tokens().token(id);
        return token == null ? new byte[0] : tokenizer.decoder().bytes(token);
    }

    @Override
    public Optional<String> token(int id) {
        return Optional.ofNullable(tokenizer.tokens().token(id));
    }

    @Override
    public OptionalInt id(String token) {
        return tokenizer.tokens().find(token);
    }

    @Override
    public boolean special(int id) {
        return tokenizer.tokens().isSpecial(id);
    }

    @Override
    public boolean hasChatTemplate() {
        return !templates.isEmpty();
    }

    @Override
    public String chat(List<Map<String, Object>> messages, Map<String, Object> variables) {
        try {
            return templates.render(messages, variables);
        } catch (TextFailure e) {
            throw new TextException(e.getMessage(), e);
        }
    }
}
