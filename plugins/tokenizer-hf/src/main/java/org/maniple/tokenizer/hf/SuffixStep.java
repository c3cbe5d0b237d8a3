package org.maniple.tokenizer.hf;

import org.jspecify.annotations.Nullable;

/** Turns the end-of-word suffix into a space, except in the last token. */
record SuffixStep(String suffix) implements DecoderStep {

    private final class Sink implements TokenSink {
        private final TokenSink next;
        private final StringBuilder token = new StringBuilder();
        private @Nullable String complete;

        Sink(TokenSink next) {
            this.next = next;
        }

        @Override
        public void accept(String part, boolean ends) {
            if (complete != null) {
                next.accept(complete.replace(suffix, " "), true);
                complete = null;
            }
            token.append(part);
            if (ends) {
                complete = token.toString();
                token.setLength(0);
            }
        }

        @Override
        public void finish() {
            if (complete != null) {
                next.accept(complete.replace(suffix, ""), true);
            }
            next.finish();
        }
    }

    @Override
    public TokenSink open(TokenSink next, boolean eager) {
        return new Sink(next);
    }

    @Override
    public String inMiddle(String token) {
        return token.replace(suffix, " ");
    }
}
