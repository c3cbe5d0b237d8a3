package org.maniple.tokenizer.hf;

/** Replaces a literal inside each token. */
record ReplaceStep(String literal, String content) implements DecoderStep {

    private final class Sink implements TokenSink {
        private final TokenSink next;
        private final StringBuilder held = new StringBuilder();

        Sink(TokenSink next) {
            this.next = next;
        }

        @Override
        public void accept(String part, boolean ends) {
            if (ends && held.isEmpty()) {
                next.accept(part.replace(literal, content), true);
                return;
            }
            held.append(part);
            int done = 0;
            var out = new StringBuilder();
            for (int at = held.indexOf(literal); at >= 0; at = held.indexOf(literal, done)) {
                out.append(held, done, at).append(content);
                done = at + literal.length();
            }
            int safe = ends ? held.length() : held.length() - beginning(done);
            out.append(held, done, safe);
            held.delete(0, safe);
            next.accept(out.toString(), ends);
        }

        /** How many characters at the end may be the beginning of the literal. */
        private int beginning(int done) {
            for (int length = Math.min(literal.length() - 1, held.length() - done); length > 0; length--) {
                if (literal.startsWith(held.substring(held.length() - length))) {
                    return length;
                }
            }
            return 0;
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

    @Override
    public String inMiddle(String token) {
        return token.replace(literal, content);
    }
}
