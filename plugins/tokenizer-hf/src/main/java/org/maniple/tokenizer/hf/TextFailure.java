package org.maniple.tokenizer.hf;

/** What can go wrong here; the provider and the codec turn it into the API's exception. */
abstract sealed class TextFailure extends RuntimeException permits TokenizerFileException, TextLimitException, TemplateException {
    private static final long serialVersionUID = 1L;

    private final String message;

    TextFailure(String message) {
        super(message);
        this.message = message;
    }

    @Override
    public String getMessage() {
        return message;
    }
}
