package org.maniple.tokenizer.hf;

import java.util.ArrayList;
import java.util.List;
import org.maniple.tokenizer.hf.TemplateToken.Kind;

/**
 * Cuts a template into text and tags the way Jinja does with {@code trim_blocks} and {@code lstrip_blocks} on, as chat templates expect: a
 * newline right after a statement or comment is dropped, so is white space between the start of a line and a statement or comment;
 * {@code -} beside a tag drops all white space there, {@code +} keeps it.
 */
final class TemplateLexer {
    private static final List<String> TAGS = List.of("{%", "{#", "{{");

    private final String source;
    private final List<TemplateToken> tokens = new ArrayList<>();
    private int at;
    private int line = 1;
    private boolean lineStarting = true;

    private TemplateLexer(String source) {
        this.source = source;
    }

    static List<TemplateToken> tokens(String template) {
        var source = template.replace("\r\n", "\n").replace('\r', '\n');
        return new TemplateLexer(source.endsWith("\n") ? source.substring(0, source.length() - 1) : source).tokens();
    }

    private List<TemplateToken> tokens() {
        while (at < source.length()) {
            int tag = nextTag();
            if (tag < 0) {
                data(source.substring(at));
                at = source.length();
                break;
            }
            int sign = tag + 2 < source.length() ? source.charAt(tag + 2) : 0;
            boolean strippable = source.charAt(tag + 1) != '{';
            data(before(source.substring(at, tag), sign, strippable));
            countLines(at, tag);
            at = tag + (sign == '-' || sign == '+' ? 3 : 2);
            switch (source.charAt(tag + 1)) {
                case '#' -> comment();
                case '{' -> inside(Kind.VARIABLE_BEGIN, Kind.VARIABLE_END, "}}");
                default -> {
                    if (!raw()) {
                        inside(Kind.BLOCK_BEGIN, Kind.BLOCK_END, "%}");
                    }
                }
            }
        }
        tokens.add(new TemplateToken(Kind.END, "", line));
        return tokens;
    }

    private int nextTag() {
        for (int i = source.indexOf('{', at); i >= 0; i = source.indexOf('{', i + 1)) {
            if (TAGS.contains(source.substring(i, Math.min(i + 2, source.length())))) {
                return i;
            }
        }
        return -1;
    }

    private void data(String text) {
        if (!text.isEmpty()) {
            tokens.add(new TemplateToken(Kind.DATA, text, line));
        }
    }

    /** The text before a tag without the white space that the tag takes away. */
    private String before(String text, int sign, boolean strippable) {
        if (sign == '-') {
            return PythonStrings.stripEnd(text);
        }
        if (sign == '+' || !strippable) {
            return text;
        }
        int start = text.lastIndexOf('\n') + 1;
        boolean atLineStart = start > 0 || lineStarting;
        return atLineStart && PythonStrings.strip(text.substring(start)).isEmpty() ? text.substring(0, start) : text;
    }

    private void countLines(int from, int to) {
        for (int i = from; i < to; i++) {
            if (source.charAt(i) == '\n') {
                line++;
            }
        }
    }

    private void moveTo(int end) {
        countLines(at, end);
        lineStarting = end > 0 && source.charAt(end - 1) == '\n';
        at = end;
    }

    private void comment() {
        int end = source.indexOf("#}", at);
        if (end < 0) {
            throw TemplateException.syntax(line, "Missing end of comment tag");
        }
        moveTo(afterTag(end, true));
    }

    /** The place after a closing tag at {@code end} (where a sign may stand before it) and the white space it takes away. */
    private int afterTag(int end, boolean trims) {
        int after = end + 2;
        char sign = end > 0 ? source.charAt(end - 1) : 0;
        if (sign == '-') {
            return skipSpace(after);
        }
        return trims && sign != '+' && after < source.length() && source.charAt(after) == '\n' ? after + 1 : after;
    }

    private int skipSpace(int from) {
        int i = from;
        while (i < source.length() && PythonStrings.isSpace(source.charAt(i))) {
            i++;
        }
        return i;
    }

    /** Reads {@code raw … endraw} where the tag is one; {@code at} is behind the tag's beginning. */
    private boolean raw() {
        int name = skipSpace(at);
        int close = source.startsWith("raw", name) ? skipSpace(name + 3) : -1;
        boolean minus = close >= 0 && source.startsWith("-%}", close);
        if (close < 0 || !minus && !source.startsWith("%}", close)) {
            return false;
        }
        moveTo(minus ? skipSpace(close + 3) : close + 2);
        for (int tag = source.indexOf("{%", at); tag >= 0; tag = source.indexOf("{%", tag + 2)) {
            int sign = tag + 2 < source.length() ? source.charAt(tag + 2) : 0;
            int word = skipSpace(sign == '-' || sign == '+' ? tag + 3 : tag + 2);
            int end = source.startsWith("endraw", word) ? skipSpace(word + 6) : -1;
            boolean signed = end >= 0 && (source.startsWith("-%}", end) || source.startsWith("+%}", end));
            if (end >= 0 && (signed || source.startsWith("%}", end))) {
                data(before(source.substring(at, tag), sign, true));
                moveTo(afterTag(signed ? end + 1 : end, true));
                return true;
            }
        }
        throw TemplateException.syntax(line, "Missing end of raw directive");
    }

    private void inside(Kind begin, Kind end, String close) {
        tokens.add(new TemplateToken(begin, "", line));
        var words = new TagLexer(source, at, line);
        int after = words.readUntil(close, tokens);
        if (after < 0) {
            // the parser knows best what is missing
            moveTo(source.length());
            return;
        }
        tokens.add(new TemplateToken(end, "", words.line()));
        moveTo(afterTag(after, end == Kind.BLOCK_END));
    }
}
