package org.maniple.tokenizer.hf;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Rewrites a regex in Oniguruma's syntax, which tokenizer.json files use, as one for {@link Pattern}.
 *
 * <p>Differences handled: shorthand classes, case and {@code \b} are Unicode; {@code ^ $} are line anchors and only {@code \n} ends a
 * line; {@code \h} is a hexadecimal digit; {@code \p{Han}} needs {@code Is}, {@code \p{^L}} a capital P; {@code [[:alpha:]]};
 * {@code {,n}}; {@code {n,m}+} repeats and is not possessive.
 */
final class OnigurumaRegex {
    private static final int LONGEST = 20_000;
    private static final int FLAGS = Pattern.UNICODE_CHARACTER_CLASS | Pattern.UNICODE_CASE | Pattern.MULTILINE
            | Pattern.UNIX_LINES;
    private static final Map<String, String> POSIX = Map.ofEntries(Map.entry("alpha", "Alpha"), Map.entry("digit", "Digit"),
            Map.entry("alnum", "Alnum"), Map.entry("upper", "Upper"), Map.entry("lower", "Lower"), Map.entry("punct", "Punct"),
            Map.entry("space", "Space"), Map.entry("blank", "Blank"), Map.entry("cntrl", "Cntrl"), Map.entry("xdigit", "XDigit"),
            Map.entry("graph", "Graph"), Map.entry("print", "Print"));

    private final String source;
    private final StringBuilder out = new StringBuilder();
    private final Deque<Integer> groups = new ArrayDeque<>();
    private int at;
    private int atom;

    private OnigurumaRegex(String source) {
        this.source = source;
    }

    static Pattern compile(JsonField field) {
        var source = field.string();
        if (source.length() > LONGEST) {
            throw field.error("a regex of " + source.length() + " characters is too long (limit " + LONGEST + ")");
        }
        try {
            return Pattern.compile(new OnigurumaRegex(source).translate(), FLAGS);
        } catch (PatternSyntaxException | StackOverflowError e) {
            var why = e instanceof PatternSyntaxException syntax ? syntax.getDescription() : "nested too deeply";
            throw new TokenizerFileException(field.file(), field.path(), "the regex cannot be used: " + why, e);
        }
    }

    private String translate() {
        while (at < source.length()) {
            step();
        }
        return out.toString();
    }

    private void step() {
        char c = source.charAt(at);
        switch (c) {
            case '\\' -> {
                atom = out.length();
                escape();
            }
            case '[' -> {
                atom = out.length();
                characterClass();
            }
            case '(' -> {
                groups.push(out.length());
                out.append(c);
                at++;
            }
            case ')' -> {
                atom = groups.isEmpty() ? out.length() : groups.pop();
                out.append(c);
                at++;
            }
            case '{' -> interval();
            case '?', '*', '+', '|' -> {
                out.append(c);
                at++;
            }
            default -> {
                atom = out.length();
                int point = source.codePointAt(at);
                out.appendCodePoint(point);
                at += Character.charCount(point);
            }
        }
    }

    private void escape() {
        if (at + 1 >= source.length()) {
            out.append('\\');
            at++;
            return;
        }
        char c = source.charAt(at + 1);
        if (c == 'h' || c == 'H') {
            out.append(c == 'h' ? "[0-9a-fA-F]" : "[^0-9a-fA-F]");
            at += 2;
        } else if ((c == 'p' || c == 'P') && source.startsWith("{", at + 2) && source.indexOf('}', at) > 0) {
            property(c == 'P');
        } else {
            out.append('\\').append(c);
            at += 2;
        }
    }

    private void property(boolean negated) {
        int end = source.indexOf('}', at);
        var name = source.substring(at + 3, end);
        if (name.startsWith("^")) {
            negated = !negated;
            name = name.substring(1);
        }
        out.append(negated ? "\\P{" : "\\p{").append(javaName(name)).append('}');
        at = end + 1;
    }

    private static String javaName(String name) {
        var posix = POSIX.get(name.toLowerCase(Locale.ROOT));
        if (posix != null) {
            return posix;
        }
        if (name.length() <= 2) {
            return name;
        }
        try {
            return "Is" + Character.UnicodeScript.forName(name).name();
        } catch (IllegalArgumentException e) {
            return categoryName(name);
        }
    }

    private static String categoryName(String name) {
        return switch (name.toLowerCase(Locale.ROOT).replace("_", "")) {
            case "letter" -> "L";
            case "mark" -> "M";
            case "number" -> "N";
            case "punctuation" -> "P";
            case "symbol" -> "S";
            case "separator" -> "Z";
            default -> name.startsWith("Is") || name.startsWith("In") ? name : "Is" + name;
        };
    }

    /** Copies a bracket expression, nested ones included; only escapes and {@code [:name:]} inside it change. */
    private void characterClass() {
        int depth = 0;
        do {
            char c = source.charAt(at);
            if (c == '\\') {
                escape();
                continue;
            }
            if (c == '[' && depth > 0 && posixClass()) {
                continue;
            }
            depth += c == '[' ? 1 : c == ']' ? -1 : 0;
            out.append(c);
            at++;
        } while (depth > 0 && at < source.length());
    }

    private boolean posixClass() {
        int end = source.indexOf(":]", at);
        if (!source.startsWith("[:", at) || end < 0 || end - at > 12) {
            return false;
        }
        var name = source.substring(at + 2, end);
        boolean negated = name.startsWith("^");
        var java = POSIX.get(negated ? name.substring(1) : name);
        if (java == null) {
            return false;
        }
        out.append(negated ? "\\P{" : "\\p{").append(java).append('}');
        at = end + 2;
        return true;
    }

    private void interval() {
        int end = source.indexOf('}', at);
        var body = end < 0 ? "" : source.substring(at + 1, end);
        if (!body.matches("[0-9]*,?[0-9]*") || body.isEmpty() || body.equals(",")) {
            atom = out.length();
            out.append("\\{");
            at++;
            return;
        }
        out.append('{').append(body.startsWith(",") ? "0" + body : body).append('}');
        at = end + 1;
        if (at < source.length() && source.charAt(at) == '+') {
            out.insert(atom, "(?:").append(')');
        }
    }
}
