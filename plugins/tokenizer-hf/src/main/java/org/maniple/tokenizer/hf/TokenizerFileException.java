package org.maniple.tokenizer.hf;

/** A tokenizer file that cannot be used; the message names the file, the field in it and what was expected there. */
final class TokenizerFileException extends TextFailure {
    private static final long serialVersionUID = 1L;

    TokenizerFileException(String file, String field, String problem) {
        super(file + (field.isEmpty() ? "" : ", field " + field) + ": " + problem);
    }

    TokenizerFileException(String file, String field, String problem, Throwable cause) {
        this(file, field, problem);
        initCause(cause);
    }
}
