package org.maniple.tokenizer.hf;

/** Takes up to {@code start} times a character from the beginning of each token and up to {@code stop} times from its end. */
record StripStep(String content, int start, int stop) implements DecoderStep {

    private final class Sink implements TokenSink {
        private final TokenSink next;
        private int stripped;
        private boolean begun;
        private int held;

        Sink(TokenSink next) {
            this.next = next;
        }

        @Override
        public void accept(String part, boolean ends) {
            var text = part;
            while (!begun && stripped < start && text.startsWith(content)) {
                text = text.substring(content.length());
                stripped++;
            }
            begun |= !text.isEmpty();
            text = content.repeat(held) + text;
            held = 0;
            while (held < stop && text.endsWith(content)) {
                text = text.substring(0, text.length() - content.length());
                held++;
            }
            if (ends) {
                begun = false;
                stripped = 0;
                held = 0;
            }
            next.accept(text, ends);
        }

        @Override
        public void finish() {
            next.finish();
        }
    }

    @Override
    public TokenSink open(TokenSink next, boolean eager) {
        return new Sink(next);
    }
}
