package org.maniple.tokenizer.hf;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.maniple.tokenizer.hf.TemplateToken.Kind;

/** Cuts the inside of a tag into names, literals and operators, up to the closing tag outside of any bracket. */
final class TagLexer {
    private static final List<String> OPERATORS = List.of("//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[",
            "]", "(",
            ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";");

    private final String source;
    private final Deque<Character> brackets = new ArrayDeque<>();
    private int at;
    private int line;

    TagLexer(String source, int at, int line) {
        this.source = source;
        this.at = at;
        this.line = line;
    }

    int line() {
        return line;
    }

    /** Adds the tokens before {@code close} and returns where {@code close} begins, or -1 where it is missing. */
    int readUntil(String close, List<TemplateToken> tokens) {
        while (at < source.length()) {
            char c = source.charAt(at);
            if (PythonStrings.isSpace(c)) {
                line += c == '\n' ? 1 : 0;
                at++;
            } else if (brackets.isEmpty() && closes(close)) {
                return source.startsWith(close, at) ? at : at + 1;
            } else {
                tokens.add(token(c));
            }
        }
        return -1;
    }

    private boolean closes(String close) {
        char c = source.charAt(at);
        return source.startsWith(close, at) || (c == '-' || c == '+' && close.equals("%}")) && source.startsWith(close, at + 1);
    }

    private TemplateToken token(char c) {
        if (c == '\'' || c == '"') {
            return string(c);
        }
        if (c >= '0' && c <= '9') {
            return number();
        }
        if (c == '_' || Character.isUnicodeIdentifierStart(source.codePointAt(at))) {
            int start = at;
            while (at < source.length()
                    && (source.charAt(at) == '_' || Character.isUnicodeIdentifierPart(source.codePointAt(at)))) {
                at += Character.charCount(source.codePointAt(at));
            }
            return new TemplateToken(Kind.NAME, source.substring(start, at), line);
        }
        for (var operator : OPERATORS) {
            if (source.startsWith(operator, at)) {
                balance(operator.charAt(0));
                at += operator.length();
                return new TemplateToken(Kind.OPERATOR, operator, line);
            }
        }
        throw TemplateException.syntax(line, "unexpected char '" + Character.toString(source.codePointAt(at)) + "'");
    }

    private void balance(char c) {
        switch (c) {
            case '(' -> brackets.push(')');
            case '[' -> brackets.push(']');
            case '{' -> brackets.push('}');
            case ')', ']', '}' -> {
                if (brackets.isEmpty()) {
                    throw TemplateException.syntax(line, "unexpected '" + c + "'");
                }
                char expected = brackets.pop();
                if (expected != c) {
                    throw TemplateException.syntax(line, "unexpected '" + c + "', expected '" + expected + "'");
                }
            }
            default -> {
                // not a bracket
            }
        }
    }

    private TemplateToken string(char quote) {
        int begin = line;
        int start = ++at;
        while (at < source.length() && source.charAt(at) != quote) {
            line += source.charAt(at) == '\n' ? 1 : 0;
            at += source.charAt(at) == '\\' ? 2 : 1;
        }
        if (at >= source.length()) {
            throw TemplateException.syntax(begin, "unexpected char '" + quote + "': the string does not end");
        }
        var value = StringEscapes.resolve(source.substring(start, at), begin);
        at++;
        return new TemplateToken(Kind.STRING, value, begin);
    }

    private TemplateToken number() {
        int start = at;
        if (source.charAt(at) == '0' && at + 1 < source.length() && "xXoObB".indexOf(source.charAt(at + 1)) >= 0
                && at + 2 < source.length() && Character.digit(source.charAt(at + 2), 16) >= 0) {
            at += 2;
            skipDigits(true);
            return new TemplateToken(Kind.INTEGER, source.substring(start, at).replace("_", ""), line);
        }
        skipDigits(false);
        boolean fraction = at + 1 < source.length() && source.charAt(at) == '.' && isDigit(at + 1);
        if (fraction) {
            at++;
            skipDigits(false);
        }
        boolean exponent = at < source.length() && (source.charAt(at) == 'e' || source.charAt(at) == 'E')
                && (isDigit(at + 1) || at + 1 < source.length() && "+-".indexOf(source.charAt(at + 1)) >= 0 && isDigit(at + 2));
        if (exponent) {
            at += 2;
            skipDigits(false);
        }
        return new TemplateToken(fraction || exponent ? Kind.FLOAT : Kind.INTEGER, source.substring(start, at).replace("_", ""),
                line);
    }

    private boolean isDigit(int index) {
        return index < source.length() && source.charAt(index) >= '0' && source.charAt(index) <= '9';
    }

    private void skipDigits(boolean hexadecimal) {
        while (isDigit(at) || at < source.length() && (source.charAt(at) == '_' && (isDigit(at + 1) || hexadecimal)
                || hexadecimal && Character.digit(source.charAt(at), 16) >= 0)) {
            at++;
        }
    }
}
