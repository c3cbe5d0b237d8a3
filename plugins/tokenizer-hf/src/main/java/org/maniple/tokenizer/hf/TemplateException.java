package org.maniple.tokenizer.hf;

/** A chat template that cannot be read or does not accept what it was given. */
final class TemplateException extends TextFailure {
    private static final long serialVersionUID = 1L;

    /** Whose fault it is. */
    enum Kind {
        /** The template is not valid. */
        SYNTAX,
        /** The template did something with a value that cannot be done with it. */
        FAILED,
        /** The template called {@code raise_exception}. */
        RAISED,
        /** The template needs more work, output or nesting than is allowed. */
        LIMIT
    }

    private final Kind kind;
    private final int line;
    private final String reason;

    TemplateException(Kind kind, int line, String reason) {
        super("chat template" + (line > 0 ? ", line " + line : "") + ": " + reason);
        this.kind = kind;
        this.line = line;
        this.reason = reason;
    }

    static TemplateException syntax(int line, String reason) {
        return new TemplateException(Kind.SYNTAX, line, reason);
    }

    /** A failure whose line the interpreter adds. */
    static TemplateException failed(String reason) {
        return new TemplateException(Kind.FAILED, 0, reason);
    }

    static TemplateException limit(String reason) {
        return new TemplateException(Kind.LIMIT, 0, reason);
    }

    TemplateException at(int where) {
        return line > 0 ? this : new TemplateException(kind, where, reason);
    }

    Kind kind() {
        return kind;
    }

    /** The line in the template, from 1, or 0 where unknown. */
    int line() {
        return line;
    }

    /** The message without the place. */
    String reason() {
        return reason;
    }
}
