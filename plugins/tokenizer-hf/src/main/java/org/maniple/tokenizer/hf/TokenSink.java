package org.maniple.tokenizer.hf;

/** Receives tokens, each in one or several parts, and at last the end. One stream of one answer; not thread-safe. */
interface TokenSink {

    /** A part of the current token; with {@code ends} its last. */
    void accept(String part, boolean ends);

    /** No token follows. Passes on whatever was held back. */
    void finish();
}
