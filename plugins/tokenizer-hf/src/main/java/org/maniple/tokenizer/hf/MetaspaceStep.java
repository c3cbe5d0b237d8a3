package org.maniple.tokenizer.hf;

/** Turns marks into spaces; those of the first token were put there by the pre-tokenizer and go. */
record MetaspaceStep(String mark, boolean prefixed) implements DecoderStep {
    @Override
    public TokenSink open(TokenSink next, boolean eager) {
        return new TokenSink() {
            private boolean first = true;

            @Override
            public void accept(String part, boolean ends) {
                next.accept(part.replace(mark, first && prefixed ? "" : " "), ends);
                first &= !ends;
            }

            @Override
            public void finish() {
                next.finish();
            }
        };
    }

    @Override
    public String inMiddle(String token) {
        return token.replace(mark, " ");
    }
}
