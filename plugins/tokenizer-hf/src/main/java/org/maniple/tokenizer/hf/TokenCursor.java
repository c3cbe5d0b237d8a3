package org.maniple.tokenizer.hf;

import java.util.List;
import org.maniple.tokenizer.hf.TemplateToken.Kind;

/** The tokens of a template and the place reached in them; also counts nesting, which is limited. */
final class TokenCursor {
    private static final int DEEPEST = 100;

    private final List<TemplateToken> tokens;
    private int at;
    private int depth;

    TokenCursor(List<TemplateToken> tokens) {
        this.tokens = tokens;
    }

    TemplateToken current() {
        return tokens.get(at);
    }

    TemplateToken ahead() {
        return tokens.get(Math.min(at + 1, tokens.size() - 1));
    }

    TemplateToken next() {
        var token = current();
        if (token.kind() != Kind.END) {
            at++;
        }
        return token;
    }

    boolean skip(String operator) {
        boolean there = current().is(operator);
        if (there) {
            next();
        }
        return there;
    }

    boolean skipName(String name) {
        boolean there = current().isName(name);
        if (there) {
            next();
        }
        return there;
    }

    void expect(String operator) {
        if (!skip(operator)) {
            throw unexpected("'" + operator + "'");
        }
    }

    TemplateToken expect(Kind kind) {
        if (current().kind() != kind) {
            throw unexpected("'" + kind.words() + "'");
        }
        return next();
    }

    TemplateException unexpected(String wanted) {
        return current().kind() == Kind.END
                ? error("unexpected end of template, expected " + wanted + ".")
                : error("expected token " + wanted + ", got '" + current().describe() + "'");
    }

    TemplateException error(String reason) {
        return TemplateException.syntax(current().line(), reason);
    }

    void enter() {
        if (++depth > DEEPEST) {
            throw error("nested more than " + DEEPEST + " deep");
        }
    }

    void leave(int levels) {
        depth -= levels;
    }
}
