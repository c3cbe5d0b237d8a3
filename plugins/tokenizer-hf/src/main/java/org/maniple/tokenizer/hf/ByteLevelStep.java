package org.maniple.tokenizer.hf;

import java.util.Optional;

/** Turns GPT-2's stand-ins back into bytes and all bytes together into one text. */
record ByteLevelStep() implements DecoderStep {

    private static final class Sink implements TokenSink {
        private final TokenSink next;
        private final Utf8Stream utf8 = new Utf8Stream();
        private final StringBuilder token = new StringBuilder();
        private final StringBuilder text = new StringBuilder();

        Sink(TokenSink next) {
            this.next = next;
        }

        @Override
        public void accept(String part, boolean ends) {
            if (!ends) {
                token.append(part);
                return;
            }
            var whole = token.isEmpty() ? part : token.append(part).toString();
            token.setLength(0);
            utf8.decode(ByteAlphabet.bytes(whole), text);
            pass(false);
        }

        @Override
        public void finish() {
            utf8.finish(text);
            pass(true);
            next.finish();
        }

        private void pass(boolean ends) {
            next.accept(text.toString(), ends);
            text.setLength(0);
        }
    }

    @Override
    public TokenSink open(TokenSink next, boolean eager) {
        return new Sink(next);
    }

    @Override
    public Optional<byte[]> bytes(String token) {
        return Optional.of(ByteAlphabet.bytes(token));
    }
}
