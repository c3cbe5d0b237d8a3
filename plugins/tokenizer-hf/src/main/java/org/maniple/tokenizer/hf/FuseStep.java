package org.maniple.tokenizer.hf;

/** Makes one token of all. */
record FuseStep() implements DecoderStep {
    @Override
    public TokenSink open(TokenSink next, boolean eager) {
        return new TokenSink() {
            @Override
            public void accept(String part, boolean ends) {
                next.accept(part, false);
            }

            @Override
            public void finish() {
                next.accept("", true);
                next.finish();
            }
        };
    }
}
