package org.maniple.tokenizer.hf;

/** Puts a space between tokens. */
record JoinStep() implements DecoderStep {
    @Override
    public TokenSink open(TokenSink next, boolean eager) {
        return new TokenSink() {
            private boolean between;

            @Override
            public void accept(String part, boolean ends) {
                next.accept(between ? " " + part : part, ends);
                between = ends;
            }

            @Override
            public void finish() {
                next.finish();
            }
        };
    }
}
