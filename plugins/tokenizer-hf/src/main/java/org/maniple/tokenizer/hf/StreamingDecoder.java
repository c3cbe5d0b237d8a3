package org.maniple.tokenizer.hf;

import org.jspecify.annotations.Nullable;
import org.maniple.api.text.IncrementalDecoder;

/**
 * Turns one answer's tokens into text as they arrive. A character comes out when its last byte is there, never as a U+FFFD before that; the
 * texts of all pushes and of the end, one after the other, are the decoding of all tokens. What happens at a token is looked at once, so
 * an answer of n tokens takes time proportional to n.
 *
 * <p>One exception: in a byte-fallback vocabulary (Llama 2, Gemma) a run of byte tokens that begins with whole characters and then breaks
 * off is U+FFFD throughout in the decoding of the whole, but the characters have been given out here already.
 *
 * <p>Not thread-safe.
 */
final class StreamingDecoder implements IncrementalDecoder {
    private final TokenTable tokens;
    private final boolean skipSpecial;
    private final StringBuilder text = new StringBuilder();
    private final TokenSink sink;
    private boolean finished;

    StreamingDecoder(TokenTable tokens, DecoderChain chain, boolean skipSpecial) {
        this.tokens = tokens;
        this.skipSpecial = skipSpecial;
        this.sink = chain.open(text, true);
    }

    @Override
    public String push(int id) {
        if (finished) {
            throw new IllegalStateException("the decoder was finished; open a new one for the next answer");
        }
        @Nullable
        String token = tokens.token(id);
        if (token == null || skipSpecial && tokens.isSpecial(id)) {
            return "";
        }
        sink.accept(token, true);
        return take();
    }

    @Override
    public String finish() {
        if (finished) {
            return "";
        }
        finished = true;
        sink.finish();
        return take();
    }

    private String take() {
        if (text.isEmpty()) {
            return "";
        }
        var taken = text.toString();
        text.setLength(0);
        return taken;
    }
}
