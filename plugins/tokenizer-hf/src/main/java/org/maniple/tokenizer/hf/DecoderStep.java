package org.maniple.tokenizer.hf;

import java.util.Optional;

/** One step of a tokenizer.json {@code decoder}; immutable, its state is in the sinks it opens. */
interface DecoderStep {

    /**
     * Begins a decoding.
     *
     * @param next  where the step's tokens go
     * @param eager give out a character as soon as it is there, even where the reference could still take it back (ByteFallback)
     */
    TokenSink open(TokenSink next, boolean eager);

    /** What the step makes of a token somewhere in the middle of a text. */
    default String inMiddle(String token) {
        return token;
    }

    /** The bytes a token stands for, where this step turns tokens into bytes. */
    default Optional<byte[]> bytes(String token) {
        return Optional.empty();
    }
}
