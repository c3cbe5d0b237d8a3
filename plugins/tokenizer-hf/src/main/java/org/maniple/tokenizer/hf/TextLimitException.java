package org.maniple.tokenizer.hf;

/** A text (or a regex of the model on that text) that needs more work than the tokenizer allows. */
final class TextLimitException extends TextFailure {
    private static final long serialVersionUID = 1L;

    TextLimitException(String message) {
        super(message);
    }
}
